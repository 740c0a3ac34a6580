using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Testing;

namespace Weft.Control.Tests.Cluster;

public sealed class NamespaceClusterTests : IAsyncLifetime
{
    private TestCluster _cluster = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync();
        await _cluster.Client.For<Namespace>().CreateAsync(null, new Namespace { Metadata = new ObjectMeta { Name = "team" } }, CancellationToken.None);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private Task<Namespace?> FindAsync() => _cluster.Client.For<Namespace>().FindAsync(new ObjectKey("", "team"), CancellationToken.None);

    private Task DeleteAsync() => _cluster.Client.For<Namespace>().DeleteAsync(new ObjectKey("", "team"), CancellationToken.None);

    [Fact]
    public async Task A_new_namespace_gets_its_service_account_and_the_authority_and_gets_them_back()
    {
        var accounts = _cluster.Client.For<ServiceAccount>();
        var maps = _cluster.Client.For<ConfigMap>();
        var account = new ObjectKey("team", "default");
        var authority = new ObjectKey("team", "kube-root-ca.crt");
        await Eventually.TrueAsync(async () => await accounts.FindAsync(account, CancellationToken.None) is not null, state: () => string.Join('\n', _cluster.Complaints));
        await Eventually.TrueAsync(async () => (await maps.FindAsync(authority, CancellationToken.None))?.Data["ca.crt"] == TestCluster.Authority);

        var first = await accounts.GetAsync(account, CancellationToken.None);
        await accounts.DeleteAsync(account, CancellationToken.None);
        await maps.PatchAsync(authority, Patch.Merge(new JsonObject { ["data"] = new JsonObject { ["ca.crt"] = "forged", ["more"] = "x" } }), CancellationToken.None);
        await Eventually.TrueAsync(async () => (await accounts.FindAsync(account, CancellationToken.None))?.Metadata.Uid is { } uid && uid != first.Metadata.Uid);
        await Eventually.TrueAsync(async () => (await maps.GetAsync(authority, CancellationToken.None)).Data is { Count: 1 } data && data["ca.crt"] == TestCluster.Authority);
        Assert.Empty(_cluster.Complaints);
    }

    [Fact]
    public async Task A_deleted_namespace_goes_with_all_that_is_in_it()
    {
        for (var i = 0; i < 3; i++)
            await _cluster.Client.For<Secret>().CreateAsync("team", new Secret { Metadata = new ObjectMeta { Name = $"s{i}" } }, CancellationToken.None);
        await _cluster.Client.For<Pod>().CreateAsync("team", new Pod { Metadata = new ObjectMeta { Name = "p" }, Spec = Make.Template().Spec }, CancellationToken.None);
        await DeleteAsync();
        await Eventually.TrueAsync(async () => await FindAsync() is null, state: () => string.Join('\n', _cluster.Complaints));
        Assert.Empty((await _cluster.Client.For<Secret>().ListAsync("team", CancellationToken.None)).Items);
        Assert.Empty((await _cluster.Client.For<Pod>().ListAsync("team", CancellationToken.None)).Items);
        Assert.Empty(_cluster.Complaints);
    }

    [Fact]
    public async Task A_namespace_that_cannot_go_says_what_blocks_it()
    {
        var maps = _cluster.Client.For<ConfigMap>();
        await maps.CreateAsync("team", new ConfigMap { Metadata = new ObjectMeta { Name = "held", Finalizers = ["example.com/backup"] } }, CancellationToken.None);
        await DeleteAsync();

        await Eventually.TrueAsync(async () =>
        {
            var conditions = (await FindAsync())!.Status.Conditions.ToDictionary(condition => condition.Type);
            return conditions.TryGetValue("NamespaceContentRemaining", out var content) && content.Status == "True"
                && content.Message == "Some resources are remaining: configmaps. has 1 resource instances"
                && conditions["NamespaceFinalizersRemaining"].Message == "Some content in the namespace has finalizers remaining: example.com/backup in 1 resource instances"
                && conditions["NamespaceDeletionContentFailure"].Status == "False";
        }, state: () => string.Join('\n', _cluster.Complaints));
        Assert.Equal("Terminating", (await FindAsync())!.Status.Phase);

        await maps.PatchAsync(new ObjectKey("team", "held"), Patch.Merge(new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = null } }), CancellationToken.None);
        await Eventually.TrueAsync(async () => await FindAsync() is null);
    }
}
