namespace Weft.Api.Cel;

/// <summary>Calls that are read as something else: their arguments name variables, or are evaluated many times.</summary>
internal static class Macros
{
    public static Expr Expand(int position, string name, Expr? target, List<Expr> arguments)
    {
        if (target is null)
        {
            if (name != "has" || arguments.Count != 1)
                return new Call(position, name, null, arguments);
            return arguments[0] is Select { Test: false } select ? select.AsTest : throw new CelSyntaxException(position, "invalid argument to has() macro");
        }
        switch (name, arguments.Count)
        {
            case ("all" or "exists" or "exists_one" or "existsOne" or "filter", 2):
                return new Fold(position, Kind(name), target, Variable(arguments[0]), null, null, arguments[1]);
            case ("map", 2):
                return new Fold(position, FoldKind.Map, target, Variable(arguments[0]), null, null, arguments[1]);
            case ("map", 3):
                return new Fold(position, FoldKind.Map, target, Variable(arguments[0]), null, arguments[1], arguments[2]);
            case ("all" or "exists" or "existsOne" or "exists_one" or "transformList" or "transformMap", 3):
                return new Fold(position, Kind(name), target, Variable(arguments[0]), Variable(arguments[1], arguments[0]), null, arguments[2]);
            case ("transformList" or "transformMap", 4):
                return new Fold(position, Kind(name), target, Variable(arguments[0]), Variable(arguments[1], arguments[0]), arguments[2], arguments[3]);
            case ("optMap" or "optFlatMap", 2):
                return new OptionalBind(position, target, Variable(arguments[0]), arguments[1], flat: name == "optFlatMap");
            default:
                return new Call(position, name, target, arguments);
        }
    }

    private static FoldKind Kind(string name) => name switch
    {
        "all" => FoldKind.All,
        "exists" => FoldKind.Exists,
        "filter" => FoldKind.Filter,
        "transformList" => FoldKind.TransformList,
        "transformMap" => FoldKind.TransformMap,
        _ => FoldKind.ExistsOne,
    };

    private static string Variable(Expr argument, Expr? other = null)
    {
        if (argument is not Ident ident)
            throw new CelSyntaxException(argument.Position, "argument must be a simple name");
        if (other is Ident first && first.Name == ident.Name)
            throw new CelSyntaxException(argument.Position, "the two variables must have different names");
        return ident.Name;
    }
}
