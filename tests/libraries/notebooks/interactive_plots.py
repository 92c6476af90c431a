# %%
import altair as alt
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
import plotly.io as pio
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

pio.templates.default = "plotly_white"
alt.data_transformers.disable_max_rows()

# %%
cars = pd.DataFrame(
    {
        "model": ["Ant", "Bee", "Cat", "Dog", "Elk", "Fox"],
        "weight": [900, 1100, 1300, 1500, 2100, 1250],
        "consumption": [4.8, 5.5, 6.1, 7.0, 9.9, 5.9],  # edit: "consumption": [4.8, 5.5, 6.1, 7.0, 9.4, 5.9],
        "origin": ["EU", "EU", "US", "US", "US", "JP"],
    }
)

# %%
scatter = px.scatter(cars, x="weight", y="consumption", color="origin", hover_name="model", title="Consumption")
len(scatter.data), scatter.layout.title.text, list(scatter.data[1].y)

# %%
scatter.update_traces(marker_size=12).update_layout(legend_title_text="made in")
scatter.layout.legend.title.text, scatter.layout.template.layout.paper_bgcolor

# %%
bars = go.Figure(go.Bar(x=cars.model, y=cars.consumption))
bars.add_hline(y=cars.consumption.mean())
bars.to_dict()["layout"]["shapes"]

# %%
chart = alt.Chart(cars).mark_point().encode(x="weight:Q", y="consumption:Q", color="origin:N").properties(width=300)
sorted(chart.to_dict()["encoding"])

# %%
brush = alt.selection_interval(name="brush")
layered = chart.add_params(brush) | alt.Chart(cars).mark_bar().encode(x="count()", y="origin").transform_filter(brush)
len(layered.hconcat), alt.data_transformers.active, alt.data_transformers.options

# %%
source = ColumnDataSource(cars)
plot = figure(width=300, height=200, title="Cars", x_axis_label="weight")
plot.scatter("weight", "consumption", source=source, size=8)
plot.title.text, sorted(source.column_names), len(plot.renderers)

# %%
pivot = cars.pivot_table(index="origin", values=["weight", "consumption"], aggfunc="mean")
heat = px.imshow(pivot)
heat.data[0].z.round(2)

# %%
cars.query("consumption > 5.5").sort_values("weight")

# %%
trace, axis = bars.data[0], bars.layout.xaxis

# %%
trace.name = "cars"
axis.title = "model"
bars.data[0].name, bars.layout.xaxis.title.text, trace is bars.data[0]
