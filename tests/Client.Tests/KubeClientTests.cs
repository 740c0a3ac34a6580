using System.Net;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Testing;

namespace Weft.Client.Tests;

public class KubeClientTests
{
    private readonly ScriptedHandler _server = new();
    private readonly KubeClient _client;
    private readonly ObjectKey _key = new("default", "a b");

    public KubeClientTests() => _client = new KubeClient(_server, new ManualTime(), "weft-test", new Uri("https://example.test/k8s/"));

    [Fact]
    public async Task Requests_go_below_the_path_of_the_server_with_names_escaped()
    {
        _server.Answer(HttpStatusCode.OK, Wire.ConfigMap("a b", 5));
        var found = await _client.For<ConfigMap>().GetAsync(_key, CancellationToken.None);

        Assert.Equal("a b", found.Metadata.Name);
        Assert.Equal("/k8s/api/v1/namespaces/default/configmaps/a%20b", Assert.Single(_server.Requests).PathAndQuery);
    }

    [Fact]
    public async Task A_list_is_followed_page_by_page_without_the_parameters_that_a_token_excludes()
    {
        _server.Answer(HttpStatusCode.OK, """{"metadata":{"resourceVersion":"7","continue":"t/1"},"items":[""" + Wire.ConfigMap("a", 1) + "]}");
        _server.Answer(HttpStatusCode.OK, Wire.List(7, Wire.ConfigMap("b", 2)));

        var all = await _client.For<ConfigMap>().ListAsync(null, CancellationToken.None, new ListOptions { ResourceVersion = "0", LabelSelector = "x=y" });

        Assert.Equal(["a", "b"], all.Items.Select(item => item.Metadata.Name));
        Assert.Equal("7", all.ResourceVersion);
        Assert.Equal("/k8s/api/v1/configmaps?labelSelector=x%3Dy&limit=500&resourceVersion=0", _server.Requests[0].PathAndQuery);
        Assert.Equal("/k8s/api/v1/configmaps?labelSelector=x%3Dy&limit=500&continue=t%2F1", _server.Requests[1].PathAndQuery);
    }

    [Fact]
    public async Task A_refusal_carries_the_servers_Status()
    {
        _server.Answer(HttpStatusCode.Conflict, Wire.Failure(409, "AlreadyExists", "configmaps a already exists"));
        _server.Answer(HttpStatusCode.Conflict, Wire.Failure(409, "Conflict", "modified"));
        _server.Answer(HttpStatusCode.BadGateway, "<html>");

        var configMaps = _client.For<ConfigMap>();
        var exists = await Assert.ThrowsAsync<ApiStatusException>(() => configMaps.CreateAsync("default", new ConfigMap(), CancellationToken.None));
        Assert.True(exists.IsAlreadyExists);
        Assert.False(exists.IsConflict);
        Assert.Equal("configmaps a already exists", exists.Message);

        var conflict = await Assert.ThrowsAsync<ApiStatusException>(() => configMaps.DeleteAsync(_key, CancellationToken.None));
        Assert.True(conflict.IsConflict);

        var proxy = await Assert.ThrowsAsync<ApiStatusException>(() => configMaps.GetAsync(_key, CancellationToken.None));
        Assert.Equal(502, proxy.Code);
    }

    [Fact]
    public async Task Patches_name_their_media_type_and_manager()
    {
        for (var i = 0; i < 5; i++)
            _server.Answer(HttpStatusCode.OK, Wire.ConfigMap("a", 5));
        var configMaps = _client.For<ConfigMap>();
        await configMaps.PatchAsync(_key, Patch.Merge(new JsonObject { ["data"] = new JsonObject { ["x"] = null } }), CancellationToken.None);
        await configMaps.PatchAsync(_key, Patch.Json([]), CancellationToken.None);
        await configMaps.PatchAsync(_key, Patch.Strategic([]), CancellationToken.None);
        await configMaps.ApplyAsync(_key, [], "me", CancellationToken.None, new WriteOptions { Force = true });
        await configMaps.PatchStatusAsync(_key, Patch.Merge([]), CancellationToken.None);

        Assert.Equal("""{"data":{"x":null}}""", _server.Requests[0].Body);
        Assert.Equal(
            ["application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml", "application/merge-patch+json"],
            _server.Requests.Select(request => request.ContentType));
        Assert.EndsWith("?fieldManager=me&force=true", _server.Requests[3].PathAndQuery);
        Assert.EndsWith("/status", _server.Requests[4].PathAndQuery);
    }

    [Fact]
    public async Task A_delete_says_how_and_which_life_it_means()
    {
        _server.Answer(HttpStatusCode.OK, """{"kind":"Status","status":"Success"}""");
        _server.Answer(HttpStatusCode.Conflict, Wire.Failure(409, "Conflict", "precondition failed: uid"));
        var configMaps = _client.For<ConfigMap>();

        Assert.True(await configMaps.DeleteIfThereAsync(_key, CancellationToken.None,
            new Deletion { Uid = "u", Propagation = PropagationPolicy.Foreground, GracePeriodSeconds = 0 }));
        Assert.False(await configMaps.DeleteIfThereAsync(_key, CancellationToken.None, new Deletion { Uid = "u" }));

        Assert.Equal(
            """{"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0,"propagationPolicy":"Foreground","preconditions":{"uid":"u"}}""",
            _server.Requests[0].Body);
    }

    [Fact]
    public async Task A_server_that_says_try_again_later_is_asked_again_later()
    {
        var time = new ManualTime();
        var client = new KubeClient(_server, time);
        _server.Answer(HttpStatusCode.TooManyRequests, Wire.Failure(429, "TooManyRequests", "busy"), ("Retry-After", "3"));
        _server.Answer(HttpStatusCode.OK, Wire.ConfigMap("a", 5));

        var get = client.For<ConfigMap>().GetAsync(_key, CancellationToken.None);
        await Eventually.TrueAsync(() => time.PendingTimers == 2); // the request's deadline and the pause
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal("a", (await Eventually.EndsAsync(get)).Metadata.Name);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up()
    {
        var time = new ManualTime();
        var get = new KubeClient(_server, time).For<ConfigMap>().GetAsync(_key, CancellationToken.None);
        await Eventually.TrueAsync(() => _server.Requests.Count == 1);
        time.Advance(TimeSpan.FromMinutes(1));
        await Assert.ThrowsAsync<HttpRequestException>(() => Eventually.EndsAsync(get));
    }

    [Fact]
    public async Task A_watch_event_may_come_in_any_pieces()
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(Wire.Event("ADDED", Wire.ConfigMap("ä", 1)) + "\n" + Wire.Event("DELETED", Wire.ConfigMap("b", 2)) + "\n");
        for (var cut = 1; cut < bytes.Length; cut += 7)
        {
            var pipe = new System.IO.Pipelines.Pipe();
            _server.Answer((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(pipe.Reader.AsStream()) }));
            await pipe.Writer.WriteAsync(bytes.AsMemory(0, cut));
            var events = ReadAllAsync();
            await pipe.Writer.WriteAsync(bytes.AsMemory(cut));
            await pipe.Writer.CompleteAsync();
            Assert.Equal(["Added ä", "Deleted b"], await Eventually.EndsAsync(events));
        }

        async Task<List<string>> ReadAllAsync()
        {
            var seen = new List<string>();
            await foreach (var change in _client.For<ConfigMap>().WatchAsync(null, new WatchOptions(), CancellationToken.None))
                seen.Add($"{change.Type} {change.Object.Metadata.Name}");
            return seen;
        }
    }
}
