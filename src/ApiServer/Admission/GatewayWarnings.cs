using System.Text.Json.Nodes;
using Weft.Api.GatewayApi;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;

namespace Weft.ApiServer.Admission;

/// <summary>
/// Says who writes an object of the Gateway API that nothing serves it, and what is served in its place; as long as no controller that someone runs here has accepted
/// a GatewayClass.
/// </summary>
public sealed class GatewayWarnings(StoredObjects objects) : IAdmission
{
    private const string Instead = "write Ingress (networking.k8s.io/v1), or Gateway and VirtualService of Istio (networking.istio.io/v1)";

    private static readonly string[] Groups = [GatewayKinds.Group, "gateway.networking.x-k8s.io"];

    public string Name => "GatewayWarnings";

    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request is not { Operation: AdmissionOperation.Create, Subresource: "", IsOwn: false, Object: { } tree } || !Groups.Contains(request.Resource.Group))
            return;
        var warning = await WarningAsync(request.Kind.Kind, tree, cancellationToken);
        if (warning is null)
            return;
        lock (request.Warnings)
            request.Warnings.Add(warning);
    }

    private async ValueTask<string?> WarningAsync(string kind, JsonObject tree, CancellationToken cancellationToken)
    {
        var spec = tree.Object("spec");
        if (kind == "GatewayClass")
            return $"nothing of this cluster serves the Gateway API: the class waits for {Quoted(spec.TextAt("controllerName"))}, a controller that you must run here; or {Instead}";
        if (kind == "Gateway")
        {
            var name = spec.TextAt("gatewayClassName");
            if (objects.Get(GatewayKinds.Group, "gatewayclasses", "", name) is not { } found)
                return $"nothing of this cluster serves the Gateway API, and there is no GatewayClass {Quoted(name)} of a controller that you run: {Instead}";
            return IsAccepted(found) ? null : $"nothing of this cluster serves the Gateway API, and no controller has accepted the GatewayClass {Quoted(name)}: {Instead}";
        }

        foreach (var entry in await objects.EntriesAsync(GatewayKinds.Group, "gatewayclasses", cancellationToken))
        {
            if (IsAccepted(StoredObjects.Parse(entry)))
                return null;
        }
        return $"nothing of this cluster serves the Gateway API, and no controller that you run has accepted a GatewayClass: {kind} has no effect. {char.ToUpperInvariant(Instead[0])}{Instead[1..]}";
    }

    private static string Quoted(string text) => $"'{text}'";

    private static bool IsAccepted(JsonObject gatewayClass) => gatewayClass.Object("status").Objects("conditions")
        .Any(condition => condition.TextAt("type") == "Accepted" && condition.TextAt("status") == "True");
}
