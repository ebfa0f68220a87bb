import typer
app = typer.Typer()
@app.command("list")
def l() -> None: ...
@app.command("check")
def c() -> None: ...
def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="rules")
