# %%
%matplotlib inline
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.datasets import load_waltons

sns.set_theme(style="whitegrid")

# %%
waltons = load_waltons()
waltons.groupby("group").agg({"T": ["mean", "count"], "E": "sum"}).round(2)

# %%
ALPHA = 0.05  # edit: ALPHA = 0.2
kmf = KaplanMeierFitter(alpha=ALPHA)

# %%
kmf.fit(waltons["T"], waltons["E"], label="all")
kmf.median_survival_time_, kmf.confidence_interval_.iloc[10].round(4).tolist()

# %%
fig, ax = plt.subplots(figsize=(4, 3))
kmf.plot_survival_function(ax=ax)
ax.set_title("Survival")
ax.get_title(), len(ax.lines)

# %%
waltons["control"] = (waltons["group"] == "control").astype(int)
cox = CoxPHFitter().fit(waltons[["T", "E", "control"]], "T", "E")
cox.params_.round(3)

# %%
axes = sns.histplot(data=waltons, x="T", hue="group", bins=10)
axes.get_xlabel(), len(axes.patches)

# %%
tips = pd.DataFrame({"bill": [10.0, 20.5, 15.0, 30.0], "tip": [1.0, 3.5, 2.0, 5.0], "day": ["Sat", "Sun", "Sat", "Sun"]})
grid = sns.lmplot(data=tips, x="bill", y="tip", ci=None, height=2)
plt.close(grid.figure)
plt.get_fignums(), plt.rcParams["axes.grid"]

# %%
palette = sns.color_palette("deep", 3)
[tuple(round(part, 2) for part in colour) for colour in palette]
