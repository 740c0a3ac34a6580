using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Networking;

internal sealed class IngressStrategy : DefaultStrategy
{
    public override IEnumerable<string> Warnings(JsonObject tree, JsonObject? old)
    {
        if (tree.Object("metadata").Object("annotations") is { } annotations && annotations.ContainsKey("kubernetes.io/ingress.class"))
            yield return "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead";
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            yield break;
        var spec = root["spec"];
        if (spec["rules"].Count == 0 && !spec["defaultBackend"].Exists)
            yield return spec.Invalid("either `defaultBackend` or `rules` must be specified");
        foreach (var error in Backend(spec["defaultBackend"])
            .Concat(spec["tls"].Each(tls => tls["hosts"].Each(Host).Concat(Rules.Optional(tls["secretName"], NameRules.DnsSubdomain))))
            .Concat(Rules.Optional(spec["ingressClassName"], NameRules.DnsSubdomain))
            .Concat(spec["rules"].Each(Rule)))
            yield return error;
    }

    private static IEnumerable<FieldError> Rule(Field rule)
    {
        foreach (var error in Host(rule["host"]))
            yield return error;
        if (!rule["http"].Exists)
            yield break;
        if (rule["http"]["paths"].IsBlank)
            yield return rule["http"]["paths"].Required();
        foreach (var path in rule["http"]["paths"].Items)
        {
            var text = path["path"].TextOrEmpty;
            if (path["pathType"].Text is "Exact" or "Prefix")
            {
                if (!text.StartsWith('/'))
                    yield return path["path"].Invalid("must be an absolute path");
                foreach (var bad in (string[])["//", "/./", "/../", "%2f", "%2F"])
                {
                    if (text.Contains(bad, StringComparison.Ordinal))
                        yield return path["path"].Invalid($"must not contain '{bad}'");
                }
            }
            else if (text.Length > 0 && !text.StartsWith('/'))
                yield return path["path"].Invalid("must be an absolute path");
            foreach (var error in Backend(path["backend"]))
                yield return error;
        }
    }

    private static IEnumerable<FieldError> Host(Field host)
    {
        if (host.Text is not { Length: > 0 } name)
            yield break;
        if (System.Net.IPAddress.TryParse(name, out _) && name.Contains('.'))
            yield return host.Invalid("must be a DNS name, not an IP address");
        else if (NameRules.DnsSubdomain(name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name) is { } wrong)
            yield return host.Invalid(wrong);
    }

    private static IEnumerable<FieldError> Backend(Field backend)
    {
        if (!backend.Exists)
            yield break;
        var (service, resource) = (backend["service"], backend["resource"]);
        if (service.Exists && resource.Exists)
            yield return backend.Invalid("cannot set both resource and service backends");
        else if (!service.Exists && !resource.Exists)
            yield return backend.Required("either `service` or `resource` must be specified");
        if (!service.Exists)
            yield break;
        foreach (var error in Rules.Named(service["name"], NameRules.Dns1035Label))
            yield return error;
        var port = service["port"];
        var named = port["name"].TextOrEmpty.Length > 0;
        var numbered = port["number"].Number is not (null or 0);
        if (!named && !numbered)
            yield return service.Required("port name or number is required");
        else if (named && numbered)
            yield return service.Invalid("cannot set both port name & port number");
        foreach (var error in named ? Rules.PortNumberOrName(port["name"]) : Rules.Port(port["number"]))
            yield return error;
    }
}

internal sealed class IngressClassStrategy : DefaultStrategy
{
    public override bool Namespaced => false;
    public override bool HasStatus => false;

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var controller = root["spec"]["controller"];
        if (controller.TextOrEmpty.Length == 0)
            yield return controller.Required();
        else if (!controller.TextOrEmpty.Contains('/'))
            yield return controller.Invalid("must be a domain-prefixed path (such as \"acme.io/foo\")");
        else if (controller.TextOrEmpty.Length > 250)
            yield return controller.TooLong("may not be more than 250 bytes");
    }
}
