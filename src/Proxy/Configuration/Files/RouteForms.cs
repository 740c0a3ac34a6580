using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Configuration.Files;

/// <summary>A route: `match`, what is done (`to`, `redirect` or `respond`), and beside `to` all that belongs to forwarding.</summary>
internal static class RouteForms
{
    private static readonly string[] Forwarding =
        [.. typeof(ForwardAction).GetProperties().Where(p => p.CanWrite).Select(p => FileScalars.Camel(p.Name)).Where(n => n != "clusters")];
    private static readonly string[] Own = ["match", "to", "redirect", "respond", .. Forwarding];

    public static object? Route(FileBinder binder, FileNode node, string path)
    {
        if (!binder.IsMapping(node, path, "a route: match, to, redirect, respond, filters ..."))
            return null;
        if (binder.Record(typeof(RouteConfig), node, path, Own) is not RouteConfig route)
            return null;
        var fields = node.Fields.ToDictionary(f => f.Key, f => f.Value);
        if (fields.ContainsKey("action") || fields.ContainsKey("matches"))
            binder.Error(path, node, "in a file these are match, and one of to, redirect, respond");
        if (fields.TryGetValue("match", out var match))
            route = route with { Matches = binder.Bind<ValueList<RouteMatch>>(match, $"{path}.match") };
        // By its place where it has no name, so that each has one for metrics.
        if (route.Name.Length == 0)
            route = route with { Name = path.Replace("listeners", "listener", StringComparison.Ordinal).Replace('[', '-').Replace("]", "", StringComparison.Ordinal).Replace('.', '-') };
        return route with { Action = Action(binder, node, path, fields) };
    }

    private static RouteAction Action(FileBinder binder, FileNode node, string path, Dictionary<string, FileNode> fields)
    {
        var actions = new[] { "to", "redirect", "respond" }.Where(fields.ContainsKey).ToList();
        if (actions.Count != 1)
        {
            binder.Error(path, node, "a route has one of to, redirect, respond");
            return DirectResponse.NotFound;
        }

        var value = fields[actions[0]];
        if (actions[0] != "to")
        {
            foreach (var stray in Forwarding.Where(fields.ContainsKey))
                binder.Error($"{path}.{stray}", fields[stray], $"means nothing beside {actions[0]}");
            var at = $"{path}.{actions[0]}";
            return (actions[0], value) switch
            {
                ("respond", { Kind: NodeKind.Scalar }) => new DirectResponse { Status = binder.Bind<int>(value, at) },
                ("respond", _) => (RouteAction?)binder.Record(typeof(DirectResponse), value, at) ?? DirectResponse.NotFound,
                (_, { Kind: NodeKind.Scalar, Value: "https" }) => new RedirectAction { Scheme = "https" },
                _ => (RouteAction?)binder.Record(typeof(RedirectAction), value, at) ?? DirectResponse.NotFound,
            };
        }

        // All that is not forwarding's is the route's and was read.
        var part = new FileNode(NodeKind.Mapping, node.Line);
        part.Fields.AddRange(node.Fields.Where(f => Forwarding.Contains(f.Key)));
        var forward = (ForwardAction?)binder.Record(typeof(ForwardAction), part, path) ?? new();
        return forward with { Clusters = binder.Bind<ValueList<WeightedCluster>>(value, $"{path}.to") };
    }
}
