"""Drawn digits are images, differ by hand, and are told apart by their shape."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.suites.digit_images import PIXELS, digit, digits


def test_an_image_is_ink_on_paper_in_numbers_that_float32_has() -> None:
    images, labels = digits(20)
    assert images.shape == (20, PIXELS)
    assert labels == (*range(10), *range(10))
    assert images.min() == 0.0
    assert images.max() == 255 / 256
    np.testing.assert_array_equal(images.astype(np.float32), images)
    inked = (images > 0.5).mean(axis=1)
    assert np.all((inked > 0.03) & (inked < 0.3))


def test_the_same_seed_gives_the_same_hand_and_another_another() -> None:
    np.testing.assert_array_equal(digit(3, 1), digit(3, 1))
    assert np.any(digit(3, 1) != digit(3, 2))


def test_most_digits_are_nearest_to_the_average_of_their_own_label() -> None:
    images, labels = digits(300)
    means = np.array([images[k::10].mean(axis=0) for k in range(10)])
    fresh, truth = digits(200, seed=1)
    distances = ((fresh[:, None] - means) ** 2).sum(axis=-1)
    assert np.mean(distances.argmin(axis=1) == np.array(truth)) > 0.8
    assert len(set(labels)) == 10


@pytest.mark.parametrize("label", [-1, 10, "3"])
def test_what_is_no_digit_is_refused(label: object) -> None:
    with pytest.raises(ValueError, match="0 to 9"):
        digit(label)  # type: ignore[arg-type]
