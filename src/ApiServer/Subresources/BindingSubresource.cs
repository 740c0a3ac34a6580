using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Subresources;

/// <summary>`pods/binding`: the scheduler's decision. It sets the node of a pod that has none, and the condition that says so, in one write.</summary>
internal sealed class BindingSubresource(ObjectWriter writer, WriteVerbs verbs) : ISubresource
{
    private static readonly GroupVersionKind Kind = new("", "v1", "Binding");
    private static readonly GroupVersionResource Pods = new("", "v1", "pods");

    public bool Serves(ResourceInfo resource, string subresource) => subresource == "binding" && resource.Resource is { Group: "", Resource: "pods" };

    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        if (request.Info.Verb != "create")
            throw Statuses.MethodNotAllowed();
        var binding = await Bodies.ReadObjectAsync(request, Kind, _ => { });
        var target = binding["target"] as JsonObject;
        var node = Metadata.Text(target, "name");
        if (Metadata.Text(target, "kind") is not ("" or "Node") || node.Length == 0)
            throw Statuses.Invalid(Kind, Metadata.Name(binding), [FieldError.Required("target.name", "a binding names the node of the pod")]);

        var context = verbs.Context(request, resource);
        var demands = new Demands(NullIfEmpty(Metadata.Uid(binding)), NullIfEmpty(Metadata.ResourceVersion(binding)));
        await writer.UpdateAsync(context, demands, pod => new ValueTask<JsonObject>(Bind((JsonObject)pod.DeepClone(), binding, node, context)), request.Aborted);
        await ResponseWriter.WriteStatusAsync(request, Statuses.Success() with { Code = 201 }, 201);
    }

    private static JsonObject Bind(JsonObject pod, JsonObject binding, string node, WriteContext context)
    {
        if (Metadata.IsBeingDeleted(pod))
            throw Statuses.Conflict(Pods, context.Name, $"pod {context.Name} is being deleted, cannot be assigned to a host");
        var spec = pod["spec"] as JsonObject ?? throw Statuses.Conflict(Pods, context.Name, "the pod has no spec");
        if (Metadata.Text(spec, "nodeName") is { Length: > 0 } assigned)
            throw Statuses.Conflict(Pods, context.Name, $"pod {context.Name} is already assigned to node \"{assigned}\"");
        if (spec["schedulingGates"] is JsonArray { Count: > 0 })
            throw Statuses.Conflict(Pods, context.Name, $"pod {context.Name} has non-empty .spec.schedulingGates");

        spec["nodeName"] = node;
        if (binding.At("metadata", "annotations") is JsonObject annotations)
        {
            var metadata = Metadata.Of(pod);
            if (metadata["annotations"] is not JsonObject own)
                metadata["annotations"] = own = [];
            foreach (var (key, value) in annotations)
                own[key] = value?.DeepClone();
        }
        SetScheduled(pod, context.Now);
        return pod;
    }

    private static void SetScheduled(JsonObject pod, DateTimeOffset now)
    {
        if (pod["status"] is not JsonObject status)
            pod["status"] = status = [];
        if (status["conditions"] is not JsonArray conditions)
            status["conditions"] = conditions = [];
        for (var i = conditions.Count - 1; i >= 0; i--)
        {
            if (conditions[i].At("type").AsText() == "PodScheduled")
                conditions.RemoveAt(i);
        }
        conditions.Add(new JsonObject { ["type"] = "PodScheduled", ["status"] = "True", ["lastProbeTime"] = null, ["lastTransitionTime"] = Metadata.Time(now) });
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
