# %%
import logging

import numpy as np
import optuna
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

optuna.logging.set_verbosity(optuna.logging.WARNING)
logging.getLogger("search").setLevel(logging.INFO)

# %%
X, y = load_iris(return_X_y=True)
X.shape

# %%
DEEPEST = 5  # edit: DEEPEST = 2

def objective(trial):
    depth = trial.suggest_int("depth", 1, DEEPEST)
    criterion = trial.suggest_categorical("criterion", ["gini", "entropy"])
    tree = DecisionTreeClassifier(max_depth=depth, criterion=criterion, random_state=0)
    return cross_val_score(tree, X, y, cv=3).mean()

# %%
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
study.optimize(objective, n_trials=12)
len(study.trials), round(study.best_value, 4)

# %%
study.best_params

# %%
frame = study.trials_dataframe(attrs=("number", "value", "params"))
frame.head(4).round(4)

# %%
best = DecisionTreeClassifier(max_depth=study.best_params["depth"], random_state=0).fit(X, y)
best.get_n_leaves()

# %%
def parabola(trial):
    x = trial.suggest_float("x", -4, 4)
    for step in range(3):
        trial.report((x - 1) ** 2 + step, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return (x - 1) ** 2

grid = optuna.create_study(sampler=optuna.samplers.GridSampler({"x": [-2, 0, 1, 3]}, seed=0), pruner=optuna.pruners.MedianPruner(n_startup_trials=1))
grid.optimize(parabola, n_trials=4)
grid.best_params, sorted(trial.state.name for trial in grid.trials)
