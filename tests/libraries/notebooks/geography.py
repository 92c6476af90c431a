# %%
import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS, Geod, Transformer
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon, box
from shapely.ops import unary_union

# %%
towns = pd.DataFrame(
    {
        "town": ["Ulm", "Bonn", "Kiel", "Jena"],
        "lon": [9.99, 7.10, 10.13, 11.59],
        "lat": [48.40, 50.73, 54.32, 50.93],
        "people": [126, 330, 246, 111],
    }
)
points = gpd.GeoDataFrame(towns, geometry=gpd.points_from_xy(towns.lon, towns.lat), crs="EPSG:4326")
points

# %%
metric = points.to_crs("EPSG:32632")
metric.geometry.x.round(0).astype(int).tolist()

# %%
RADIUS = 150_000  # edit: RADIUS = 160_000
zones = metric.assign(geometry=metric.buffer(RADIUS))
zones.area.round(-6).astype("int64").tolist()

# %%
together = unary_union(zones.geometry)
together.geom_type, round(together.area / 1e9, 3)

# %%
pairs = gpd.sjoin(metric[["town", "geometry"]], zones[["town", "geometry"]], predicate="within")
pairs[["town_left", "town_right"]].sort_values(["town_left", "town_right"]).reset_index(drop=True)

# %%
geod = Geod(ellps="WGS84")
_, _, metres = geod.inv(9.99, 48.40, 10.13, 54.32)
print(f"{metres / 1000:.1f} km")

# %%
transformer = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True)
[round(value) for value in transformer.transform(7.10, 50.73)], CRS.from_epsg(3857).name

# %%
triangle = Polygon([(0, 0), (4, 0), (2, 3)])
turned = affinity.rotate(triangle, 90, origin=(0, 0))
road = LineString([(-1, 1), (5, 1)])
triangle.intersection(road).length, turned.bounds, triangle.contains(Point(2, 1))

# %%
points.to_file("towns.geojson", driver="GeoJSON")

# %%
again = gpd.read_file("towns.geojson")
again.total_bounds.round(2), again.people.sum()

# %%
grid = gpd.GeoDataFrame(geometry=[box(x, y, x + 2, y + 3) for x in (6, 8, 10) for y in (48, 51)], crs=4326)
grid["towns"] = [int(points.within(cell).sum()) for cell in grid.geometry]
grid.towns.tolist()
