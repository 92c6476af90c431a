# %%
import networkx as nx
import numpy as np

# %%
graph = nx.Graph(name="roads")
roads = [("Ulm", "Bonn", 400), ("Bonn", "Kiel", 500), ("Kiel", "Jena", 480), ("Jena", "Ulm", 350), ("Bonn", "Jena", 380)]
graph.add_weighted_edges_from(roads, weight="km")
print(graph)

# %%
nx.shortest_path(graph, "Ulm", "Kiel", weight="km"), nx.shortest_path_length(graph, "Ulm", "Kiel", weight="km")

# %%
graph.add_edge("Kiel", "Lund", km=300)  # edit: graph.add_edge("Kiel", "Lund", km=310)
graph.nodes["Lund"]["country"] = "SE"
dict(graph.nodes(data="country"))

# %%
graph.degree, graph.size(weight="km")

# %%
centrality = nx.betweenness_centrality(graph)
max(centrality, key=centrality.get), round(sum(nx.pagerank(graph).values()), 6)

# %%
tree = nx.minimum_spanning_tree(graph, weight="km")
sorted(tree.edges(data="km"))

# %%
karate = nx.karate_club_graph()
communities = nx.community.greedy_modularity_communities(karate)
[len(group) for group in communities], round(nx.average_clustering(karate), 4)

# %%
random_graph = nx.gnp_random_graph(20, 0.2, seed=4)
nx.number_connected_components(random_graph), nx.to_numpy_array(random_graph).sum()

# %%
tasks = nx.DiGraph([("plan", "build"), ("plan", "buy"), ("buy", "build"), ("build", "test")])
list(nx.topological_sort(tasks)), nx.dag_longest_path(tasks)

# %%
positions = nx.spring_layout(karate, seed=1)
{node: np.round(place, 3).tolist() for node, place in list(positions.items())[:2]}

# %%
flow_value, flow = nx.maximum_flow(nx.DiGraph([("s", "a", {"capacity": 3}), ("a", "t", {"capacity": 2}), ("s", "t", {"capacity": 1})]), "s", "t")
flow_value, flow
