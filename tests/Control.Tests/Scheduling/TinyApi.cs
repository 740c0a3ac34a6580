using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Weft.Api.Core;
using Weft.Api.Json;

namespace Weft.Control.Tests.Scheduling;

/// <summary>The part of an API server that the scheduler talks to: list and watch of pods, nodes and namespaces, bindings, pod status, events.</summary>
internal sealed class TinyApi : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, JsonObject> _objects = []; // by resource and name
    private readonly List<(long Revision, string Resource, string Line)> _log = [];
    private readonly List<(string Resource, ChannelWriter<string> To)> _watchers = [];
    private readonly ConcurrentQueue<HttpStatusCode> _bindFailures = new();
    private long _revision = 1;

    public ConcurrentQueue<(string Pod, string Node)> Bindings { get; } = new();
    public ConcurrentQueue<JsonObject> Events { get; } = new();
    public ConcurrentQueue<(string Pod, JsonObject Condition)> Conditions { get; } = new();

    public void FailNextBinding(HttpStatusCode code) => _bindFailures.Enqueue(code);

    public void Set(Node node) => Set("nodes", ApiJson.ToTree(node));

    public void Set(Pod pod) => Set("pods", ApiJson.ToTree(pod));

    public void Set(Namespace @namespace) => Set("namespaces", ApiJson.ToTree(@namespace));

    public void Delete(string resource, string name)
    {
        lock (_gate)
        {
            if (_objects.Remove($"{resource}/{name}", out var gone))
                Publish(resource, "DELETED", gone);
        }
    }

    public string? NodeOf(string pod)
    {
        lock (_gate)
            return (string?)_objects[$"pods/{pod}"]["spec"]?["nodeName"];
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries); // api v1 [namespaces ns] resource [name [sub]]
        var body = request.Content is null ? null : JsonNode.Parse(await request.Content.ReadAsStringAsync(cancellationToken)) as JsonObject;
        if (path is ["api", _, _] or ["apis", _, _, _])
            return request.RequestUri.Query.Contains("watch=true", StringComparison.Ordinal) ? Watch(path[^1], request.RequestUri.Query, cancellationToken) : List(path[^1]);
        return (request.Method.Method, path[^1]) switch
        {
            ("POST", "binding") => Bind(path[5], body!),
            ("PATCH", "status") => Patch(path[5], body!),
            ("DELETE", var pod) when path is [_, _, _, _, "pods", _] => Remove(pod),
            ("POST", "events") => Event(body!),
            _ => Fail(HttpStatusCode.NotFound),
        };
    }

    private HttpResponseMessage List(string resource)
    {
        lock (_gate)
        {
            var items = _objects.Where(one => one.Key.StartsWith(resource + "/", StringComparison.Ordinal)).Select(one => one.Value.DeepClone()).ToArray();
            return Json(new JsonObject
            {
                ["kind"] = "List", ["apiVersion"] = "v1", ["metadata"] = new JsonObject { ["resourceVersion"] = $"{_revision}" }, ["items"] = new JsonArray(items),
            });
        }
    }

    private HttpResponseMessage Watch(string resource, string query, CancellationToken cancellationToken)
    {
        var lines = Channel.CreateUnbounded<string>();
        var from = long.Parse(System.Web.HttpUtility.ParseQueryString(query)["resourceVersion"] ?? "0");
        lock (_gate)
        {
            foreach (var (revision, of, line) in _log)
            {
                if (revision > from && of == resource)
                    lines.Writer.TryWrite(line);
            }

            _watchers.Add((resource, lines.Writer));
        }

        var pipe = new System.IO.Pipelines.Pipe();
        _ = CopyAsync();
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(pipe.Reader.AsStream()) };

        async Task CopyAsync()
        {
            try
            {
                await foreach (var line in lines.Reader.ReadAllAsync(cancellationToken))
                    await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // The watcher has gone.
            }

            await pipe.Writer.CompleteAsync();
        }
    }

    private HttpResponseMessage Bind(string pod, JsonObject binding)
    {
        if (_bindFailures.TryDequeue(out var code))
            return Fail(code);
        lock (_gate)
        {
            if (!_objects.TryGetValue($"pods/{pod}", out var tree))
                return Fail(HttpStatusCode.NotFound);
            if (tree["spec"]!["nodeName"] is not null)
                return Fail(HttpStatusCode.Conflict);
            var node = (string)binding["target"]!["name"]!;
            tree = (JsonObject)tree.DeepClone();
            tree["spec"]!["nodeName"] = node;
            Set("pods", tree);
            Bindings.Enqueue((pod, node));
            return Json(new JsonObject { ["kind"] = "Status", ["status"] = "Success" });
        }
    }

    private HttpResponseMessage Patch(string pod, JsonObject patch)
    {
        lock (_gate)
        {
            if (!_objects.TryGetValue($"pods/{pod}", out var tree))
                return Fail(HttpStatusCode.NotFound);
            if ((string?)patch["status"]!["nominatedNodeName"] is { } nominated)
            {
                tree = (JsonObject)tree.DeepClone();
                var status = tree["status"] as JsonObject ?? [];
                tree["status"] = status;
                status["nominatedNodeName"] = nominated;
                Set("pods", tree);
                return Json((JsonObject)tree.DeepClone());
            }
            var condition = (JsonObject)patch["status"]!["conditions"]![0]!.DeepClone();
            tree = (JsonObject)tree.DeepClone();
            tree["status"] = new JsonObject { ["conditions"] = new JsonArray(condition.DeepClone()) };
            Set("pods", tree);
            Conditions.Enqueue((pod, condition));
            return Json((JsonObject)tree.DeepClone());
        }
    }

    private HttpResponseMessage Remove(string pod)
    {
        Delete("pods", pod);
        return Json(new JsonObject { ["kind"] = "Status", ["status"] = "Success" });
    }

    private HttpResponseMessage Event(JsonObject value)
    {
        Events.Enqueue(value);
        return Json((JsonObject)value.DeepClone());
    }

    private void Set(string resource, JsonObject tree)
    {
        lock (_gate)
        {
            var key = $"{resource}/{(string)tree["metadata"]!["name"]!}";
            var type = _objects.ContainsKey(key) ? "MODIFIED" : "ADDED";
            _objects[key] = tree;
            Publish(resource, type, tree);
        }
    }

    private void Publish(string resource, string type, JsonObject tree)
    {
        tree["metadata"]!["resourceVersion"] = $"{++_revision}";
        var line = new JsonObject { ["type"] = type, ["object"] = tree.DeepClone() }.ToJsonString();
        _log.Add((_revision, resource, line));
        foreach (var (of, to) in _watchers)
        {
            if (of == resource)
                to.TryWrite(line);
        }
    }

    private static HttpResponseMessage Json(JsonObject body) =>
        new(HttpStatusCode.OK) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };

    private static HttpResponseMessage Fail(HttpStatusCode code) => new(code)
    {
        Content = new StringContent(
            JsonSerializer.Serialize(new { kind = "Status", apiVersion = "v1", status = "Failure", code = (int)code, reason = code.ToString(), message = "refused by the test" }),
            Encoding.UTF8, "application/json"),
    };
}
