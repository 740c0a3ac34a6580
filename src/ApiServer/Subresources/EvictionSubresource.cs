using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Subresources;

/// <summary>
/// `pods/eviction`: a delete with the options of the Eviction, if the pod's disruption budget allows it now. What is allowed is taken from the budget in
/// one write, so that two evictions at the same moment do not both take the last.
/// </summary>
internal sealed class EvictionSubresource(ObjectDeleter deleter, ObjectWriter writer, StoredObjects objects, IResourceCatalog catalog, WriteVerbs verbs) : ISubresource
{
    private static readonly GroupVersionKind Kind = new("policy", "v1", "Eviction");
    private const string OlderVersion = "policy/v1beta1"; // of the same form; Kubernetes takes it to this day, and kubectl 1.20 sends it

    public bool Serves(ResourceInfo resource, string subresource) => subresource == "eviction" && resource.Resource is { Group: "", Resource: "pods" };

    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        if (request.Info.Verb != "create")
            throw Statuses.MethodNotAllowed();
        var eviction = await Bodies.ReadObjectAsync(request, Kind, _ => { }, OlderVersion);
        if (Metadata.Name(eviction) is { Length: > 0 } name && name != request.Info.Name)
            throw Statuses.BadRequest($"name in URL does not match name in Eviction object: {request.Info.Name} and {name}");

        var options = eviction["deleteOptions"];
        var removal = new Removal
        {
            GracePeriodSeconds = options.At("gracePeriodSeconds").AsInteger(),
            Propagation = options.At("propagationPolicy").AsText(),
            Demands = new Demands(options.At("preconditions", "uid").AsText(), options.At("preconditions", "resourceVersion").AsText()),
        };
        var dryRun = request.ReadDryRun([.. (options.At("dryRun") as JsonArray ?? []).Select(value => value.AsText() ?? "")]);
        if (objects.Get("", "pods", request.Info.Namespace, request.Info.Name) is { } pod && !IsFree(pod))
            await SpendAsync(request, pod, dryRun);
        await deleter.DeleteAsync(verbs.Context(request, resource) with { DryRun = dryRun }, removal, request.Aborted);
        await ResponseWriter.WriteStatusAsync(request, Statuses.Success() with { Code = 201 }, 201);
    }

    // One that has ended, has not begun or is on its way out disrupts nothing.
    private static bool IsFree(JsonObject pod) =>
        Metadata.IsBeingDeleted(pod) || Metadata.Text(pod["status"] as JsonObject, "phase") is "Succeeded" or "Failed" or "Pending";

    private async Task SpendAsync(ApiRequest request, JsonObject pod, bool dryRun)
    {
        var (all, _) = await objects.ListAsync("policy", "poddisruptionbudgets", request.Info.Namespace, request.Aborted);
        var labels = Field.Root(pod)["metadata"]["labels"];
        var budgets = all.Where(budget => Field.Root(budget)["spec"]["selector"] is { Exists: true } selector && SelectorRules.Matches(selector, labels)).ToList();
        if (budgets.Count == 0)
            return;
        if (budgets.Count > 1)
            throw Statuses.Internal("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");

        var name = Metadata.Name(budgets[0]);
        if (!IsReady(pod))
        {
            var (spec, status) = (budgets[0]["spec"] as JsonObject, budgets[0]["status"] as JsonObject);
            var desired = Metadata.Number(status, "desiredHealthy") ?? 0;
            if (Metadata.Text(spec, "unhealthyPodEvictionPolicy") == "AlwaysAllow" || desired > 0 && (Metadata.Number(status, "currentHealthy") ?? 0) >= desired)
                return;
        }

        var budgetResource = catalog.Current.Find("policy", "v1", "poddisruptionbudgets") ?? throw Statuses.NoSuchPath();
        var context = verbs.Context(request, budgetResource) with { Name = name, Subresource = "status", DryRun = dryRun, FieldManager = "weft-apiserver" };
        await writer.UpdateAsync(context, Demands.None, old => new ValueTask<JsonObject>(Spend(old, name, request.Info.Name, context.Now)), request.Aborted);
    }

    private static JsonObject Spend(JsonObject old, string name, string pod, DateTimeOffset now)
    {
        var budget = (JsonObject)old.DeepClone();
        var status = budget["status"] as JsonObject ?? [];
        budget["status"] = status;
        if ((Metadata.Number(status, "observedGeneration") ?? 0) < (Metadata.Number(budget["metadata"] as JsonObject, "generation") ?? 0))
            throw Refuse($"The disruption budget {name} is still being processed by the server.", retryAfterSeconds: 1);
        var allowed = Metadata.Number(status, "disruptionsAllowed") ?? 0;
        if (allowed <= 0)
        {
            throw Refuse($"The disruption budget {name} needs {Metadata.Number(status, "desiredHealthy") ?? 0} healthy pods and has "
                + $"{Metadata.Number(status, "currentHealthy") ?? 0} currently");
        }

        status["disruptionsAllowed"] = allowed - 1;
        if (status["disruptedPods"] is not JsonObject disrupted)
            status["disruptedPods"] = disrupted = [];
        disrupted[pod] = Metadata.Time(now);
        return budget;
    }

    private static bool IsReady(JsonObject pod) => (pod["status"]?["conditions"] as JsonArray)?.OfType<JsonObject>()
        .Any(condition => Metadata.Text(condition, "type") == "Ready" && Metadata.Text(condition, "status") == "True") == true;

    // kubectl drain says so, waits and tries again on 429, within its --timeout. With a Retry-After the client library below it would wait instead, in silence
    // and past the timeout: only what passes by itself in a moment gets one.
    private static ApiException Refuse(string cause, int? retryAfterSeconds = null) => new(new Status
    {
        Result = "Failure", Reason = "TooManyRequests", Code = 429, Message = "Cannot evict pod as it would violate the pod's disruption budget.",
        Details = new StatusDetails { Causes = [new StatusCause { Reason = "DisruptionBudget", Message = cause }], RetryAfterSeconds = retryAfterSeconds },
    });
}
