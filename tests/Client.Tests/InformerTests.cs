using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Weft.Api;
using Weft.Api.Core;
using Weft.Testing;

namespace Weft.Client.Tests;

public sealed class InformerTests : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private readonly ScriptedHandler _server = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _errors = [];
    private readonly Informer<ConfigMap> _informer;
    private Task _running = Task.CompletedTask;

    public InformerTests()
    {
        var client = new KubeClient(_server, _time);
        _informer = new Informer<ConfigMap>(client.For<ConfigMap>(), _time, Seeded.Random(1), (_, error) =>
        {
            lock (_errors)
                _errors.Add(error.Message);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Eventually.EndsAsync(_running);
        _stop.Dispose();
    }

    private void Start() => _running = _informer.RunAsync(_stop.Token);

    private string Names => string.Join(' ', _informer.Cache.All().Select(item => $"{item.Metadata.Name}@{item.Metadata.ResourceVersion}").Order());

    [Fact]
    public async Task Lists_then_watches_from_the_lists_revision()
    {
        _server.Answer(HttpStatusCode.OK, Wire.List(10, Wire.ConfigMap("a", 3)));
        var watch = _server.AnswerStream();
        Start();
        await Eventually.EndsAsync(_informer.Synced);
        Assert.Equal("a@3", Names);

        await watch.WriteAsync(Wire.Event("ADDED", Wire.ConfigMap("b", 11)));
        await watch.WriteAsync(Wire.Event("MODIFIED", Wire.ConfigMap("a", 12)));
        await Eventually.TrueAsync(() => Names == "a@12 b@11");
        await watch.WriteAsync(Wire.Event("DELETED", Wire.ConfigMap("a", 13)));
        await Eventually.TrueAsync(() => Names == "b@11");
        Assert.Contains("watch=true&resourceVersion=10&allowWatchBookmarks=true&timeoutSeconds=", _server.Requests[1].PathAndQuery);
    }

    // A stopped process, or one whose machine sleeps: the kernel takes connections for it, and the handler's ConnectTimeout looks like a cancellation.
    [Fact]
    public async Task A_server_that_takes_connections_and_says_nothing_is_asked_again()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromMilliseconds(50) }) { BaseAddress = new Uri($"https://{listener.LocalEndpoint}/") };
        using var client = new KubeClient(http, _time, "test");
        var failures = new ConcurrentQueue<Exception>();
        _running = new Informer<ConfigMap>(client.For<ConfigMap>(), _time, Seeded.Random(1), (_, failure) => failures.Enqueue(failure)).RunAsync(_stop.Token);
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return failures.Count >= 3 || _running.IsCompleted;
        });
        Assert.False(_running.IsCompleted);
        Assert.All(failures, failure => Assert.Contains($"No connection to {listener.LocalEndpoint}", Assert.IsType<HttpRequestException>(failure).Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_version_that_is_not_served_gives_way_to_an_older_one()
    {
        var client = new KubeClient(_server, _time);
        var informer = new Informer<ConfigMap>(client.For<ConfigMap>(), _time, Seeded.Random(1), (_, _) => { }, older: [client.ForCustom<ConfigMap>("v1beta1")]);
        _server.Answer(HttpStatusCode.NotFound, Wire.Failure(404, "NotFound", "the server could not find the requested resource"));
        _server.Answer(HttpStatusCode.OK, Wire.List(10, Wire.ConfigMap("a", 3)));
        _server.AnswerStream();
        _running = informer.RunAsync(_stop.Token);
        await Eventually.EndsAsync(informer.Synced);
        Assert.Equal("v1beta1", informer.Resource.Resource.Version);
        Assert.Equal(1, informer.Cache.Count);
        Assert.StartsWith("/api/v1beta1/configmaps", _server.Requests[1].PathAndQuery, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_nobody_serves_has_no_objects()
    {
        for (var i = 0; i < 100; i++)
            _server.Answer(HttpStatusCode.NotFound, Wire.Failure(404, "NotFound", "the server could not find the requested resource"));
        Start();
        await Eventually.TrueAsync(() => _server.Requests.Count > 0);
        Assert.False(_informer.HasSynced);
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            return _informer.HasSynced;
        });
        Assert.True(_server.Requests.Count >= 4, "once is no proof: the server may be starting");
        Assert.Equal(0, _informer.Cache.Count);
    }

    /// <summary>Objects that are gone with their kind are told to subscribers, too.</summary>
    [Fact]
    public async Task A_subscriber_that_throws_does_not_end_it_when_the_kind_is_gone()
    {
        _server.Answer(HttpStatusCode.OK, Wire.List(10, Wire.ConfigMap("a", 3)));
        _server.AnswerStream().End();
        for (var i = 0; i < 8; i++)
            _server.Answer(HttpStatusCode.NotFound, Wire.Failure(404, "NotFound", "the server could not find the requested resource"));
        _server.Answer(HttpStatusCode.OK, Wire.List(90, Wire.ConfigMap("b", 80)));
        _server.AnswerStream();
        using var subscription = _informer.Cache.Subscribe(change => _ = change.New ?? throw new InvalidOperationException("gone"));
        Start();
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            return Names == "b@80" || _running.IsCompleted;
        });
        Assert.False(_running.IsCompleted);
        lock (_errors)
            Assert.Contains("gone", _errors);
    }

    [Fact]
    public async Task A_watch_that_ends_goes_on_from_the_last_bookmark_without_a_list()
    {
        _server.Answer(HttpStatusCode.OK, Wire.List(10));
        var first = _server.AnswerStream();
        var second = _server.AnswerStream();
        Start();
        await first.WriteAsync(Wire.Bookmark(40));
        first.End();
        await second.WriteAsync(Wire.Event("ADDED", Wire.ConfigMap("b", 41)));
        await Eventually.TrueAsync(() => Names == "b@41");
        Assert.Contains("resourceVersion=40&", _server.Requests[2].PathAndQuery);
        Assert.Empty(_errors);
    }

    [Fact]
    public async Task After_410_it_lists_again_and_tells_the_difference()
    {
        _server.Answer(HttpStatusCode.OK, Wire.List(10, Wire.ConfigMap("a", 3), Wire.ConfigMap("b", 4), Wire.ConfigMap("c", 5)));
        var watch = _server.AnswerStream();
        _server.Answer(HttpStatusCode.OK, Wire.List(90, Wire.ConfigMap("a", 3), Wire.ConfigMap("b", 80), Wire.ConfigMap("c", 85, uid: "another")));
        _server.AnswerStream();
        Start();
        await Eventually.EndsAsync(_informer.Synced);
        var told = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var subscription = _informer.Cache.Subscribe(change => told.Enqueue($"{change.Old?.Metadata.ResourceVersion}>{change.New?.Metadata.ResourceVersion}"));
        Assert.Equal([">3", ">4", ">5"], told.Order());
        told.Clear();

        await watch.WriteAsync(Wire.Event("ERROR", Wire.Failure(410, "Expired", "too old resource version")));
        // The cache changes first, then subscribers hear of it.
        await Eventually.TrueAsync(() => told.Count >= 3);
        Assert.Equal("a@3 b@80 c@85", Names);
        Assert.Equal(["4>80", "5>", ">85"], told); // the reborn name is a removal and an addition
    }

    [Fact]
    public async Task A_failing_server_is_asked_again_after_growing_pauses_and_each_failure_is_told()
    {
        _server.Answer(HttpStatusCode.InternalServerError, Wire.Failure(500, "InternalError", "first"));
        _server.Answer(HttpStatusCode.InternalServerError, Wire.Failure(500, "InternalError", "second"));
        _server.Answer(HttpStatusCode.OK, Wire.List(10, Wire.ConfigMap("a", 3)));
        Start();

        await Eventually.TrueAsync(() => _server.Requests.Count == 1 && _time.PendingTimers == 1);
        _time.Advance(TimeSpan.FromSeconds(1)); // 0.8 s and up to a quarter more
        await Eventually.TrueAsync(() => _server.Requests.Count == 2 && _time.PendingTimers == 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, _server.Requests.Count);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.EndsAsync(_informer.Synced);
        Assert.Equal(["first", "second"], _errors);
    }

    [Fact]
    public async Task A_watch_that_went_silent_is_replaced()
    {
        _server.Answer(HttpStatusCode.OK, Wire.List(10));
        _server.AnswerStream();
        Start();
        await Eventually.TrueAsync(() => _server.Requests.Count == 2 && _time.PendingTimers >= 1);
        _time.Advance(TimeSpan.FromMinutes(11));
        await Eventually.TrueAsync(() => _errors.Count == 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => _server.Requests.Count == 3);
    }
}
