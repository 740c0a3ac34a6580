using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>How endpoints are spoken to and chosen.</summary>
internal static class BalancingReader
{
    public static (BackendTraits Traits, ValueList<HashPolicy> Hash) Read(IngressAnnotations annotations)
    {
        var hash = Hash(annotations);
        var balancer = annotations.Text("load-balance") switch
        {
            null => BackendBalancer.Usual,
            "round_robin" => BackendBalancer.RoundRobin,
            "ewma" => BackendBalancer.LeastTime,
            var other => Wrong(other),
        };
        return (new()
        {
            Protocol = Protocol(annotations), Balancer = hash.IsEmpty ? balancer : BackendBalancer.Hash,
            ConnectTimeout = annotations.Time("proxy-connect-timeout") is { } time && time > TimeSpan.Zero ? time : null,
        }, hash);

        BackendBalancer Wrong(string name)
        {
            annotations.Error("load-balance", $"'{name}' is neither round_robin nor ewma");
            return BackendBalancer.Usual;
        }
    }

    private static BackendProtocol Protocol(IngressAnnotations annotations)
    {
        if (annotations.Text("backend-protocol") is not { } text)
            return BackendProtocol.Usual;
        if (Enum.TryParse<BackendProtocol>(text, ignoreCase: true, out var protocol) && protocol != BackendProtocol.Usual && !char.IsAsciiDigit(text[0]))
            return protocol;
        if (text.Equals("AUTO_HTTP", StringComparison.OrdinalIgnoreCase))
            return BackendProtocol.Usual;
        annotations.Close("backend-protocol", $"'{text}' is not spoken here; HTTP, HTTPS, GRPC or GRPCS");
        return BackendProtocol.Usual;
    }

    private static ValueList<HashPolicy> Hash(IngressAnnotations annotations)
    {
        var (name, path) = (annotations.Text("session-cookie-name") ?? "INGRESSCOOKIE", annotations.Text("session-cookie-path") ?? "/");
        var age = annotations.Number("session-cookie-max-age", 0, int.MaxValue) ?? annotations.Number("session-cookie-expires", 0, int.MaxValue) ?? 0;
        _ = annotations.Text("session-cookie-expires");
        switch (annotations.Text("affinity"))
        {
            case null:
                break;
            case "cookie" when HeaderTexts.IsToken(name):
                return [new CookieHash(name) { Lifetime = TimeSpan.FromSeconds(age), Path = path, Terminal = true }];
            case "cookie":
                annotations.Error("session-cookie-name", $"'{name}' is no name of a cookie");
                break;
            case var other:
                annotations.Error("affinity", $"'{other}' is not cookie");
                break;
        }

        if (annotations.Text("upstream-hash-by") is not { } by)
            return [];
        var parts = by.Split('$', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part => Part(part.Trim('{', '}'))).ToList();
        if (by.StartsWith('$') && !parts.Contains(null))
            return parts.OfType<HashPolicy>().ToValueList();
        annotations.Error("upstream-hash-by", $"'{by}' has a variable that is not known; $request_uri, $host, $remote_addr, $http_name, $cookie_name and $arg_name are");
        return [];
    }

    private static HashPolicy? Part(string variable) => variable switch
    {
        "request_uri" => new HeaderHash(":path"),
        "host" or "http_host" => new HeaderHash(":authority"),
        "remote_addr" or "binary_remote_addr" or "the_real_ip" => new SourceHash(),
        _ when variable.StartsWith("http_", StringComparison.Ordinal) && HeaderTexts.IsToken(variable[5..]) => new HeaderHash(variable[5..].Replace('_', '-')),
        _ when variable.StartsWith("cookie_", StringComparison.Ordinal) && HeaderTexts.IsToken(variable[7..]) => new CookieHash(variable[7..]),
        _ when variable.StartsWith("arg_", StringComparison.Ordinal) && variable.Length > 4 => new QueryHash(variable[4..]),
        _ => null,
    };
}
