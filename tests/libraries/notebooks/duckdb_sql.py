# %%
import duckdb
import numpy as np
import pandas as pd

# %%
rng = np.random.default_rng(5)
sales = pd.DataFrame(
    {
        "region": rng.choice(["north", "south", "west"], 40),
        "product": rng.choice(["tea", "coffee"], 40),
        "units": rng.integers(1, 20, 40),
    }
)
sales.head(3)

# %%
prices = pd.DataFrame({"product": ["tea", "coffee"], "price": [2.5, 4.0]})  # edit: prices = pd.DataFrame({"product": ["tea", "coffee"], "price": [2.5, 4.5]})
prices

# %%
duckdb.sql("select region, sum(units) as units from sales group by region order by region").df()

# %%
query = """
    select region, round(sum(units * price), 2) as revenue
    from sales join prices using (product)
    group by region
    order by revenue desc
"""

# %%
revenue = duckdb.sql(query).df()
revenue

# %%
connection = duckdb.connect()
connection.execute("create table visits (day integer, visitors integer)")
connection.executemany("insert into visits values (?, ?)", [(day, day * 7 % 11) for day in range(10)])
connection.execute("select count(*), sum(visitors) from visits").fetchone()

# %%
def ask(text):
    return connection.execute(text).fetchall()

ask("select day, visitors, sum(visitors) over (order by day) from visits where day < 4 order by day")

# %%
sales.to_csv("sales.csv", index=False)

# %%
from_file = duckdb.sql("select product, max(units) as most from 'sales.csv' group by product order by product")
from_file.fetchall()

# %%
relation = duckdb.from_df(sales).filter("units > 10").aggregate("region, count(*) as n").order("region")
relation.df()

# %%
duckdb.sql("summarize select units from sales").df()[["column_name", "min", "max"]]
