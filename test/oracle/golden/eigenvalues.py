"""The cases of linear algebra that go by eigenvalues and singular values."""
from .linalg import all_cases, is_spectral


def cases():
    return [case for case in all_cases() if is_spectral(case)]
