using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api.Streams;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Subresources;

/// <summary>`pods/log`: the node's bytes, as they are.</summary>
internal sealed class LogSubresource(ObjectReader reader, IPodStreams? streams, TimeProvider time) : ISubresource
{
    private const string DefaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

    public bool Serves(ResourceInfo resource, string subresource) => subresource == "log" && resource.Resource is { Group: "", Resource: "pods" };

    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        if (request.Info.Verb != "get")
            throw Statuses.MethodNotAllowed();
        var (ns, name) = (request.Info.Namespace, request.Info.Name);
        var pod = ObjectCodec.ToTree(resource, reader.Get(resource, ns, name, null));
        var container = ChooseContainer(pod, request.Query.Last("container"), name);
        var options = ReadOptions(request.Query);
        if (Metadata.Text(pod["spec"] as JsonObject, "nodeName").Length == 0)
            throw Statuses.BadRequest($"pod {name} does not have a host assigned");
        if (streams is null)
            throw Statuses.Unavailable("no node agent is connected that could read logs");

        var response = request.Http.Response;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.CacheControl = "no-cache, private";
        try
        {
            await streams.LogsAsync(new PodStreamTarget(ns, name, Metadata.Uid(pod), container), options, response.Body, request.Aborted);
            await response.Body.FlushAsync(request.Aborted);
        }
        catch (PodStreamException e)
        {
            if (response.HasStarted)
                throw;
            response.ContentType = null;
            throw e.Error is PodStreamError.PodNotFound ? Statuses.NotFound(resource.Resource, name) : Statuses.BadRequest(e.Message);
        }
    }

    private static string ChooseContainer(JsonObject pod, string? wanted, string name)
    {
        var spec = pod["spec"] as JsonObject;
        var ordinary = Names(spec, "containers");
        var all = ordinary.Concat(Names(spec, "initContainers")).Concat(Names(spec, "ephemeralContainers")).ToList();
        if (wanted is not null)
            return all.Contains(wanted) ? wanted : throw Statuses.BadRequest($"container {wanted} is not valid for pod {name}");
        if (pod.At("metadata", "annotations", DefaultContainerAnnotation).AsText() is { } annotated && all.Contains(annotated))
            return annotated;
        if (ordinary.Count == 1)
            return ordinary[0];
        throw Statuses.BadRequest($"a container name must be specified for pod {name}, choose one of: [{string.Join(' ', ordinary)}]");
    }

    private LogOptions ReadOptions(QueryValues query)
    {
        DateTimeOffset? since = null;
        if (query.Number("sinceSeconds") is { } seconds)
            since = time.GetUtcNow().AddSeconds(-Math.Clamp(seconds, 0, int.MaxValue));
        else if (query.Last("sinceTime") is { } text)
            since = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed)
                ? parsed
                : throw Statuses.BadRequest($"sinceTime must be an RFC 3339 time, not '{text}'");
        var (tail, limit) = (query.Number("tailLines"), query.Number("limitBytes"));
        if (tail < 0 || limit < 1)
            throw Statuses.BadRequest("tailLines must not be negative, and limitBytes must be at least 1");
        return new LogOptions
        {
            Follow = query.Last("follow") is not null && query.Flag("follow"),
            Previous = query.Last("previous") is not null && query.Flag("previous"),
            Timestamps = query.Last("timestamps") is not null && query.Flag("timestamps"),
            Since = since,
            TailLines = tail,
            LimitBytes = limit,
        };
    }

    private static List<string> Names(JsonObject? spec, string list) =>
        [.. (spec?[list] as JsonArray ?? []).Select(container => container.At("name").AsText() ?? "").Where(name => name.Length > 0)];
}
