using System.Globalization;
using System.Net;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Security;

/// <summary>Rules of authorization policies in the proxy's words.</summary>
internal static class RuleReader
{
    private static readonly HashSet<string> Attributes =
    [
        "request.auth.principal", "request.auth.audiences", "request.auth.presenter", "source.ip", "remote.ip", "source.namespace", "source.principal", "source.serviceAccount",
        "destination.ip", "destination.port", "connection.sni",
    ];

    /// <summary>Null: it has errors, which are reported; whoever asks makes of it what closes the door.</summary>
    public static AuthorizationRule? Read(Rule rule, string field, string @namespace, Problems problems)
    {
        var before = problems.Errors;
        var result = new AuthorizationRule
        {
            From = rule.From.Select((from, i) => Source(from.Source, $"{field}.from[{i}].source", @namespace, problems)).ToValueList(),
            To = rule.To.Select((to, i) => Operation(to.Operation, $"{field}.to[{i}].operation", problems)).ToValueList(),
            When = rule.When.Select((when, i) => Condition(when, $"{field}.when[{i}]", problems)).ToValueList(),
        };
        return problems.Errors > before ? null : result;
    }

    private static AuthorizationSource Source(Source? source, string field, string @namespace, Problems problems)
    {
        if (source is null || source == new Source())
        {
            problems.Error(field, "is empty; say who, or leave out from");
            return new();
        }

        return new()
        {
            Principals = Texts(source.Principals, $"{field}.principals", problems), NotPrincipals = Texts(source.NotPrincipals, $"{field}.notPrincipals", problems),
            RequestPrincipals = Texts(source.RequestPrincipals, $"{field}.requestPrincipals", problems), NotRequestPrincipals = Texts(source.NotRequestPrincipals, $"{field}.notRequestPrincipals", problems),
            Namespaces = Texts(source.Namespaces, $"{field}.namespaces", problems), NotNamespaces = Texts(source.NotNamespaces, $"{field}.notNamespaces", problems),
            ServiceAccounts = Accounts(source.ServiceAccounts, $"{field}.serviceAccounts", @namespace, problems), NotServiceAccounts = Accounts(source.NotServiceAccounts, $"{field}.notServiceAccounts", @namespace, problems),
            IpBlocks = Ranges(source.IpBlocks, $"{field}.ipBlocks", problems), NotIpBlocks = Ranges(source.NotIpBlocks, $"{field}.notIpBlocks", problems),
            RemoteIpBlocks = Ranges(source.RemoteIpBlocks, $"{field}.remoteIpBlocks", problems), NotRemoteIpBlocks = Ranges(source.NotRemoteIpBlocks, $"{field}.notRemoteIpBlocks", problems),
        };
    }

    private static AuthorizationOperation Operation(Operation? operation, string field, Problems problems)
    {
        if (operation is null || operation == new Operation())
        {
            problems.Error(field, "is empty; say what, or leave out to");
            return new();
        }

        return new()
        {
            Hosts = Texts(operation.Hosts, $"{field}.hosts", problems).Select(host => host.ToLowerInvariant()).ToValueList(),
            NotHosts = Texts(operation.NotHosts, $"{field}.notHosts", problems).Select(host => host.ToLowerInvariant()).ToValueList(),
            Ports = Ports(operation.Ports, $"{field}.ports", problems), NotPorts = Ports(operation.NotPorts, $"{field}.notPorts", problems),
            Methods = Texts(operation.Methods, $"{field}.methods", problems), NotMethods = Texts(operation.NotMethods, $"{field}.notMethods", problems),
            Paths = Paths(operation.Paths, $"{field}.paths", problems), NotPaths = Paths(operation.NotPaths, $"{field}.notPaths", problems),
        };
    }

    private static AuthorizationCondition Condition(RuleCondition when, string field, Problems problems)
    {
        var key = when.Key;
        var isIndexed = key.EndsWith(']') && (key.StartsWith("request.headers[", StringComparison.Ordinal) || key.StartsWith("request.auth.claims[", StringComparison.Ordinal))
            && key[(key.IndexOf('[') + 1)..^1].Split("][").All(part => part.Length > 0 && part.AsSpan().IndexOfAny("[]") < 0);
        if (!isIndexed && !Attributes.Contains(key))
            problems.Error($"{field}.key", $"'{key}' is no attribute; request.headers[name], request.auth.claims[name], {string.Join(", ", Attributes.Order(StringComparer.Ordinal))}");
        if (when.Values.Count == 0 && when.NotValues.Count == 0)
            problems.Error(field, "has neither values nor notValues; write one");
        if (key is "source.ip" or "remote.ip" or "destination.ip")
            return new(key, Ranges(when.Values, $"{field}.values", problems), Ranges(when.NotValues, $"{field}.notValues", problems));
        if (key == "destination.port")
        {
            _ = Ports(when.Values, $"{field}.values", problems);
            _ = Ports(when.NotValues, $"{field}.notValues", problems);
        }

        return new(key, Texts(when.Values, $"{field}.values", problems), Texts(when.NotValues, $"{field}.notValues", problems));
    }

    private static ValueList<string> Texts(IReadOnlyList<string> values, string field, Problems problems)
    {
        foreach (var (i, value) in values.Index())
            Text(value, $"{field}[{i}]", problems);
        return values.ToValueList();
    }

    private static void Text(string value, string field, Problems problems)
    {
        if (value.Length == 0)
            problems.Error(field, "is empty");
        else if (value.Length > 1 && (value[1..^1].Contains('*') || (value.StartsWith('*') && value.EndsWith('*'))))
            problems.Error(field, $"'{value}' has its '*' in the wrong place; exact, abc*, *abc or *");
    }

    private static ValueList<string> Paths(IReadOnlyList<string> values, string field, Problems problems)
    {
        foreach (var (i, value) in values.Index())
        {
            if (!value.Contains('{'))
            {
                Text(value, $"{field}[{i}]", problems);
                continue;
            }

            var segments = value.Split('/');
            var rest = Array.IndexOf(segments, "{**}");
            if (segments.Any(segment => segment.Contains('{') && segment is not ("{*}" or "{**}")) || value.Replace("{**}", "", StringComparison.Ordinal).Replace("{*}", "", StringComparison.Ordinal).Contains('*')
                || segments.Count(segment => segment == "{**}") > 1 || (rest >= 0 && segments[(rest + 1)..].Contains("{*}")))
                problems.Error($"{field}[{i}]", $"'{value}' is no template; '{{*}}' is one whole segment, '{{**}}' any number, once and without '{{*}}' behind it");
        }

        return values.ToValueList();
    }

    // `name` is one of the policy's own namespace.
    private static ValueList<string> Accounts(IReadOnlyList<string> values, string field, string @namespace, Problems problems)
    {
        foreach (var (i, value) in values.Index().Where(item => item.Item.Length == 0 || item.Item.Contains('*') || item.Item.Count(c => c == '/') > 1))
            problems.Error($"{field}[{i}]", $"'{value}' is no service account; namespace/name, or name, without '*'");
        return values.Select(value => value.Contains('/') ? value : $"{@namespace}/{value}").ToValueList();
    }

    private static ValueList<string> Ranges(IReadOnlyList<string> values, string field, Problems problems)
    {
        foreach (var (i, value) in values.Index().Where(item => !IPNetwork.TryParse(item.Item, out _) && !IPAddress.TryParse(item.Item, out _)))
            problems.Error($"{field}[{i}]", $"'{value}' is no address range; write it as 10.0.0.0/8");
        return values.ToValueList();
    }

    private static ValueList<int> Ports(IReadOnlyList<string> values, string field, Problems problems)
    {
        var ports = new List<int>();
        foreach (var (i, value) in values.Index())
        {
            if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65_536)
                ports.Add(port);
            else
                problems.Error($"{field}[{i}]", $"'{value}' is no port; 1 to 65535");
        }

        return ports.ToValueList();
    }
}
