namespace Weft.Api.Istio;

/// <summary>Kinds that Istio's own definitions bring along and this mesh does nothing with. Not installed: a user's definition serves them, and who writes one is told.</summary>
public static class UnservedKinds
{
    private static readonly string[] Groups = ["networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io"];

    /// <param name="kind">One that the program does not install.</param>
    /// <returns>The sentence of the `Warning:` header; null for a kind of nobody known.</returns>
    public static string? Warning(GroupVersionKind kind) => !Groups.Contains(kind.Group) ? null : $"{kind.Group} {kind.Kind} has no effect here{Instead(kind.Kind)}";

    private static string Instead(string kind) => kind switch
    {
        "WorkloadGroup" => ": nothing registers workloads by it; write a WorkloadEntry for each",
        "EnvoyFilter" => ": the proxies are not Envoy; what VirtualService, DestinationRule, Telemetry and the policies of weft.dev say is served",
        "ProxyConfig" => ": the proxies are one process of each node and have no settings of single workloads",
        "WasmPlugin" or "TrafficExtension" => ": the proxies run no plugins",
        _ => "",
    };
}
