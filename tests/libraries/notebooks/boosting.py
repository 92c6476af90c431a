# %%
import lightgbm as lgb
import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

# %%
data = load_breast_cancer(as_frame=True)
X, y = data.data.iloc[:, :8], data.target
X.columns = [name.replace(" ", "_") for name in X.columns]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1, stratify=y)
X_train.shape, round(y_train.mean(), 4)

# %%
params = {"objective": "binary", "num_leaves": 7, "learning_rate": 0.1, "seed": 3, "num_threads": 1, "verbosity": -1}  # edit: params = {"objective": "binary", "num_leaves": 15, "learning_rate": 0.1, "seed": 3, "num_threads": 1, "verbosity": -1}

# %%
train_data = lgb.Dataset(X_train, label=y_train)
valid_data = lgb.Dataset(X_test, label=y_test, reference=train_data)

# %%
record = {}
booster = lgb.train(
    params,
    train_data,
    num_boost_round=30,
    valid_sets=[valid_data],
    callbacks=[lgb.record_evaluation(record), lgb.early_stopping(5, verbose=False)],
)
booster.best_iteration, round(record["valid_0"]["binary_logloss"][-1], 5)

# %%
lgb_scores = booster.predict(X_test)
print("lightgbm", round(roc_auc_score(y_test, lgb_scores), 5))

# %%
importance = pd.Series(booster.feature_importance("gain"), index=X.columns).sort_values(ascending=False)
importance.head(4).round(2)

# %%
classifier = xgb.XGBClassifier(n_estimators=20, max_depth=3, learning_rate=0.3, random_state=0, n_jobs=1)
classifier.fit(X_train, y_train, eval_set=[(X_test, y_test)], verbose=False)
classifier.evals_result()["validation_0"]["logloss"][-1] < 0.3

# %%
xgb_scores = classifier.predict_proba(X_test)[:, 1]
print("xgboost", round(log_loss(y_test, xgb_scores), 5))

# %%
matrix = xgb.DMatrix(X_test, label=y_test)
contributions = classifier.get_booster().predict(matrix, pred_contribs=True)
contributions.shape, contributions[0].round(2)

# %%
blend = 0.5 * lgb_scores + 0.5 * xgb_scores
pd.DataFrame({"model": ["lightgbm", "xgboost", "blend"], "auc": [round(roc_auc_score(y_test, s), 4) for s in (lgb_scores, xgb_scores, blend)]})
