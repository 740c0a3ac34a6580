using Weft.Api;
using Weft.Api.Core;
using Weft.Testing;

namespace Weft.Client.Tests;

public class InformersTests
{
    [Fact]
    public async Task A_resource_is_watched_once_unless_metadata_was_asked_for_before_the_type()
    {
        var time = new ManualTime();
        var server = new ScriptedHandler();
        using var stop = new CancellationTokenSource();
        var informers = new Informers(new KubeClient(server, time), time, Seeded.Random(1), static (_, _) => { });
        var early = informers.Feed(ApiResources.Of<ConfigMap>());
        Assert.Same(informers.Of<Pod>(), informers.Feed(ApiResources.Of<Pod>()));
        var typed = informers.Of<ConfigMap>();
        Assert.Same(typed, informers.Of<ConfigMap>());
        Assert.NotSame(early, typed);
        Assert.Same(typed, informers.Feed(ApiResources.Of<ConfigMap>()));

        informers.Start(stop.Token);
        informers.Of<Secret>();
        await Eventually.TrueAsync(() => server.Requests.Count == 4); // both on config maps, pods, and secrets that came later
        Assert.Equal(2, server.Requests.Count(request => request.PathAndQuery.StartsWith("/api/v1/configmaps", StringComparison.Ordinal)));
        Assert.Single(server.Requests, request => request.Accept!.Contains("PartialObjectMetadataList", StringComparison.Ordinal));
        await stop.CancelAsync();
        await Eventually.EndsAsync(informers.StoppedAsync());
    }
}
