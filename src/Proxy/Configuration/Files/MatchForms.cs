using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Configuration.Files;

internal static class MatchForms
{
    private static readonly (string Name, PathMatchKind Kind)[] Paths =
    [
        ("path", PathMatchKind.Exact), ("prefix", PathMatchKind.Prefix), ("textPrefix", PathMatchKind.TextPrefix), ("regex", PathMatchKind.Regex), ("template", PathMatchKind.Template),
    ];

    /// <summary>A text is exact; otherwise one of `exact`, `prefix`, `suffix`, `contains`, `regex`.</summary>
    public static object? Text(FileBinder binder, FileNode node, string path)
    {
        if (node.Kind == NodeKind.Scalar)
            return StringMatch.Exact(node.Value);
        if (!binder.IsMapping(node, path, "a text or one of exact, prefix, suffix, contains, regex"))
            return null;
        var match = new StringMatch();
        var kinds = 0;
        foreach (var (name, value) in node.Fields)
        {
            if (name == "ignoreCase")
                match = match with { IgnoreCase = binder.Bind<bool>(value, $"{path}.{name}") };
            else if (Enum.GetValues<TextMatch>().Where(k => FileScalars.Camel(k.ToString()) == name).ToList() is [var kind])
                (match, kinds) = (match with { Kind = kind, Value = binder.Bind<string>(value, $"{path}.{name}") ?? "" }, kinds + 1);
            else
                binder.Error($"{path}.{name}", value, "there is no such field; known are exact, prefix, suffix, contains, regex, ignoreCase");
        }

        if (kinds == 1)
            return match;
        binder.Error(path, node, "needs one of exact, prefix, suffix, contains, regex");
        return null;
    }

    /// <summary>By name: a text or condition; `true`: it is there; `false`: it is not; `not: ...`: the opposite.</summary>
    public static object? Named(FileBinder binder, FileNode node, string path)
    {
        if (!binder.IsMapping(node, path, "names with conditions"))
            return null;
        return node.Fields.Select(f => One(binder, f.Key, f.Value, $"{path}.{f.Key}")).ToValueList();
    }

    /// <summary>A text is a prefix.</summary>
    public static object? Route(FileBinder binder, FileNode node, string path)
    {
        if (node is { Kind: NodeKind.Scalar, IsNull: false })
            return new RouteMatch { Path = new(PathMatchKind.Prefix, node.Value) };
        if (binder.Record(typeof(RouteMatch), node, path, ["path", "prefix", "textPrefix", "regex", "template", "ignoreCase"]) is not RouteMatch match)
            return null;
        var ignoreCase = false;
        PathMatch? found = null;
        foreach (var (name, value) in node.Fields)
        {
            if (name == "ignoreCase")
                ignoreCase = binder.Bind<bool>(value, $"{path}.{name}");
            if (!Paths.Any(p => p.Name == name))
                continue;
            if (found is not null)
                binder.Error($"{path}.{name}", value, "a match has one of path, prefix, textPrefix, regex, template");
            found = new(Paths.Single(p => p.Name == name).Kind, binder.Bind<string>(value, $"{path}.{name}") ?? "");
        }

        return match with { Path = found is null ? null : found with { IgnoreCase = ignoreCase } };
    }

    private static NamedMatch One(FileBinder binder, string name, FileNode node, string path)
    {
        if (node is { Kind: NodeKind.Scalar, Value: "true" or "false" })
            return new(name, Invert: node.Value == "false");
        if (node is { Kind: NodeKind.Mapping, Fields: [{ Key: "not" } only] })
            return new(name, binder.Bind<StringMatch>(only.Value, $"{path}.not"), Invert: true);
        return new(name, binder.Bind<StringMatch>(node, path));
    }
}
