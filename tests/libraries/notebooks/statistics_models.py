# %%
import numpy as np
import pandas as pd
import patsy
import pingouin as pg
import statsmodels.api as sm
import statsmodels.formula.api as smf

np.random.seed(11)

# %%
hours = np.random.uniform(1, 10, 60)
group = np.random.choice(["a", "b"], 60)
score = 40 + 4 * hours + np.where(group == "b", 5, 0) + np.random.normal(0, 3, 60)
study = pd.DataFrame({"hours": hours, "group": group, "score": score})
study.describe().round(2)

# %%
formula = "score ~ hours + group"  # edit: formula = "score ~ hours * group"

# %%
fit = smf.ols(formula, data=study).fit()
fit.params.round(3)

# %%
print(fit.summary().tables[1])

# %%
sm.stats.anova_lm(fit, typ=2).round(4)

# %%
centre = study.hours.mean()

def centred(values):
    return values - centre

# %%
outcome, design = patsy.dmatrices("score ~ centred(hours) + C(group)", study, return_type="dataframe")
design.columns.tolist(), design.mean().round(3).tolist()

# %%
logit = sm.GLM((study.score > 60).astype(int), sm.add_constant(study.hours), family=sm.families.Binomial()).fit()
round(logit.deviance, 3), logit.params.round(2).tolist()

# %%
pg.ttest(study.query("group == 'a'").score, study.query("group == 'b'").score).round(3).iloc[:, :3]

# %%
pg.corr(study.hours, study.score).round(3)[["n", "r"]]

# %%
influence = fit.get_influence().cooks_distance[0]
int(influence.argmax()), influence.max().round(4)

# %%
series = pd.Series(np.cumsum(np.random.normal(size=80)), index=pd.date_range("2023-01-01", periods=80))
ar = sm.tsa.AutoReg(series, lags=2).fit()
ar.forecast(2).round(3)
