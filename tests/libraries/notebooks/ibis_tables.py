# %%
import ibis
import pandas as pd
from ibis import _

ibis.options.interactive = False

# %%
penguins = pd.DataFrame(
    {
        "species": ["Adelie", "Gentoo", "Adelie", "Chinstrap", "Gentoo", "Gentoo"],
        "mass": [3750, 5000, 3800, 3500, 5700, 4750],
        "flipper": [181, 211, 195, 192, 219, 210],
    }
)

# %%
table = ibis.memtable(penguins)
table.schema()

# %%
HEAVY = 3700  # edit: HEAVY = 4900

# %%
expression = table.filter(_.mass > HEAVY).group_by("species").agg(n=_.count(), flipper=_.flipper.mean()).order_by("species")

# %%
expression.execute()

# %%
print(ibis.to_sql(table.select("species").distinct()).count("DISTINCT"))

# %%
table.mutate(ratio=(_.mass / _.flipper).round(2)).order_by(_.ratio.desc()).limit(3).to_pandas()
