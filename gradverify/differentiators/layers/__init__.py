"""Network layers and losses as each library spells them."""
