using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.ApiServer.Quotas;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Strategies.Pods;

namespace Weft.ApiServer.Admission;

/// <summary>The namespace's limit ranges: containers that name no amounts get the range's, and what asks for too much or too little is refused (LimitRanger).</summary>
internal sealed class LimitRangeAdmission(StoredObjects objects) : IAdmission
{
    private const string Annotation = "kubernetes.io/limit-ranger";

    public string Name => "LimitRanger";

    public async ValueTask MutateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (PodAdmission.NewPodSpec(request) is not { } spec)
            return;
        var set = new List<string>();
        foreach (var range in await RangesAsync(request, cancellationToken))
        {
            var (limits, requests) = LimitRangeRules.Defaults(range);
            foreach (var (container, what) in spec.Objects("containers").Select(c => (c, "container")).Concat(spec.Objects("initContainers").Select(c => (c, "init container"))))
            {
                Add(container, "requests", requests, $"request for {what} {container.TextAt("name")}", set);
                Add(container, "limits", limits, $"limit for {what} {container.TextAt("name")}", set);
            }
        }
        if (set.Count == 0)
            return;
        if (Metadata.Of(request.Object!).Ensure("annotations") is { } annotations)
            annotations[Annotation] = "LimitRanger plugin set: " + string.Join("; ", set);
        // It was worked out from what the client had written.
        if (request.Object.Object("status") is { } status && status["qosClass"] is not null)
            status["qosClass"] = ResourceValidation.QosClass(new Field(spec, "spec"));
    }

    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request is not { Subresource: "", Resource.Group: "", Object: { } tree } || request.Operation is AdmissionOperation.Delete or AdmissionOperation.Connect)
            return;
        List<string> wrong;
        switch (request.Resource.Resource)
        {
            // What a pod asks for is set when it is made.
            case "pods" when request.Operation == AdmissionOperation.Create && await RangesAsync(request, cancellationToken) is { Count: > 0 } ranges:
                var pod = ApiJson.FromTree<Pod>(tree);
                wrong = [.. ranges.SelectMany(range => LimitRangeRules.OfPod(range, pod.Spec))];
                break;
            case "persistentvolumeclaims" when !JsonNode.DeepEquals(tree["spec"], request.OldObject?["spec"]) && await RangesAsync(request, cancellationToken) is { Count: > 0 } ranges:
                var claim = ApiJson.FromTree<PersistentVolumeClaim>(tree);
                wrong = [.. ranges.SelectMany(range => LimitRangeRules.OfClaim(range, claim.Spec.Resources?.Requests ?? ImmutableDictionary<string, Quantity>.Empty))];
                break;
            default:
                return;
        }
        if (wrong.Count > 0)
            throw PodAdmission.Refuse(request, wrong.Count == 1 ? wrong[0] : $"[{string.Join(", ", wrong)}]");
    }

    private async ValueTask<IReadOnlyList<LimitRange>> RangesAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var (items, _) = await objects.ListAsync("", "limitranges", request.Namespace, cancellationToken);
        return [.. items.Select(ApiJson.FromTree<LimitRange>)];
    }

    private static void Add(JsonObject container, string part, IReadOnlyDictionary<string, Quantity> amounts, string what, List<string> told)
    {
        if (amounts.Count == 0 || container.Ensure("resources")?.Ensure(part) is not { } map)
            return;
        var names = amounts.Keys.Where(name => map[name] is null).Order(StringComparer.Ordinal).ToList();
        foreach (var name in names)
            map[name] = amounts[name].ToString();
        if (names.Count > 0)
            told.Add($"{string.Join(", ", names)} {what}");
    }
}
