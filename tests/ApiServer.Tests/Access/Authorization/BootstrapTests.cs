using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Access.Authorization;

public sealed class BootstrapTests : IAsyncLifetime
{
    private const string Prefix = "/registry/rbac.authorization.k8s.io/";
    private readonly MemoryStore _store = new(TimeProvider.System, null);

    public async ValueTask InitializeAsync() => await BootstrapPolicy.ReconcileAsync(_store, TimeProvider.System, default);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private JsonObject Stored(string key) => Envelope.Read(_store.Get(Prefix + key)!.Value).Parse(0);

    private async Task<bool> AllowsAsync(UserInfo user, string verb, string group, string resource, string subresource = "", string ns = "a", string name = "x")
    {
        var feed = new RbacFeed(_store, NullLogger<RbacFeed>.Instance);
        await feed.LoadAsync(default);
        var attributes = new AccessAttributes(user, verb) { Group = group, Resource = resource, Subresource = subresource, Namespace = ns, Name = name };
        return (await new RbacAuthorizer(feed).AuthorizeAsync(attributes, default)).Allowed;
    }

    [Fact]
    public async Task A_second_start_writes_nothing()
    {
        var revision = _store.Revision;
        await BootstrapPolicy.ReconcileAsync(_store, TimeProvider.System, default);

        Assert.Equal(revision, _store.Revision);
    }

    [Fact]
    public async Task Edit_view_and_admin_add_up()
    {
        foreach (var (role, user) in new[] { ("view", "v"), ("edit", "e"), ("admin", "a") })
            await Trees.PutRbacAsync(_store, "rolebindings", $"metadata: {{name: {role}, namespace: a}}\nroleRef: {{kind: ClusterRole, name: {role}}}\nsubjects: [{{kind: User, name: {user}}}]");
        var (view, edit, admin) = (new UserInfo("v", []), new UserInfo("e", []), new UserInfo("a", []));

        Assert.True(await AllowsAsync(view, "get", "apps", "deployments"));
        Assert.False(await AllowsAsync(view, "get", "", "secrets"));
        Assert.False(await AllowsAsync(view, "create", "apps", "deployments"));
        Assert.True(await AllowsAsync(edit, "get", "apps", "deployments"));
        Assert.True(await AllowsAsync(edit, "get", "", "secrets"));
        Assert.True(await AllowsAsync(edit, "create", "", "pods", "exec"));
        Assert.False(await AllowsAsync(edit, "create", "rbac.authorization.k8s.io", "roles"));
        Assert.True(await AllowsAsync(admin, "create", "rbac.authorization.k8s.io", "roles"));
        Assert.True(await AllowsAsync(admin, "create", "apps", "deployments"));
        Assert.False(await AllowsAsync(admin, "create", "", "nodes", ns: ""));
        Assert.False(await AllowsAsync(admin, "get", "apps", "deployments", ns: "b"));
    }

    [Theory]
    [InlineData("networking.istio.io", "virtualservices")]
    [InlineData("security.istio.io", "authorizationpolicies")]
    [InlineData("telemetry.istio.io", "telemetries")]
    public async Task Objects_of_the_mesh_are_read_and_written_as_others_of_the_namespace(string group, string resource)
    {
        foreach (var (role, user) in new[] { ("view", "v"), ("edit", "e"), ("admin", "a") })
            await Trees.PutRbacAsync(_store, "rolebindings", $"metadata: {{name: {role}, namespace: a}}\nroleRef: {{kind: ClusterRole, name: {role}}}\nsubjects: [{{kind: User, name: {user}}}]");
        foreach (var user in new[] { "v", "e", "a" })
        {
            var isWriter = user != "v";
            Assert.True(await AllowsAsync(new(user, []), "watch", group, resource));
            Assert.True(await AllowsAsync(new(user, []), "get", group, resource, "status"));
            Assert.Equal(isWriter, await AllowsAsync(new(user, []), "patch", group, resource));
            Assert.False(await AllowsAsync(new(user, []), "patch", group, resource, "status"));
            Assert.False(await AllowsAsync(new(user, []), "get", group, resource, ns: "b"));
            // Its zones are everybody's.
            Assert.False(await AllowsAsync(new(user, []), "create", "linkerd.io", "servicemeshes", ns: ""));
        }

        var mesh = new UserInfo("system:serviceaccount:kube-system:mesh-controller", []);
        Assert.True(await AllowsAsync(mesh, "patch", group, resource, "status"));
        Assert.False(await AllowsAsync(mesh, "patch", group, resource));
        Assert.True(await AllowsAsync(mesh, "watch", "", "secrets"));
        Assert.False(await AllowsAsync(mesh, "patch", "", "secrets"));
    }

    [Fact]
    public async Task Of_the_Gateway_API_routes_are_the_namespaces_and_gateways_the_operators()
    {
        const string Group = "gateway.networking.k8s.io";
        foreach (var (role, user) in new[] { ("view", "v"), ("edit", "e"), ("admin", "a") })
            await Trees.PutRbacAsync(_store, "rolebindings", $"metadata: {{name: {role}, namespace: a}}\nroleRef: {{kind: ClusterRole, name: {role}}}\nsubjects: [{{kind: User, name: {user}}}]");
        foreach (var user in new[] { "v", "e", "a" })
        {
            Assert.True(await AllowsAsync(new(user, []), "watch", Group, "gateways"));
            Assert.False(await AllowsAsync(new(user, []), "create", Group, "gateways"));
            Assert.False(await AllowsAsync(new(user, []), "create", Group, "gatewayclasses", ns: ""));
            foreach (var resource in new[] { "httproutes", "grpcroutes", "tlsroutes", "tcproutes", "udproutes", "referencegrants", "backendtlspolicies" })
                Assert.Equal(user != "v", await AllowsAsync(new(user, []), "create", Group, resource));
            // Istio's of the same name.
            Assert.Equal(user != "v", await AllowsAsync(new(user, []), "create", "networking.istio.io", "gateways"));
        }
    }

    [Fact]
    public async Task Anonymous_may_look_at_health_and_version_alone()
    {
        var feed = new RbacFeed(_store, NullLogger<RbacFeed>.Instance);
        await feed.LoadAsync(default);

        foreach (var (path, allowed) in new[] { ("/healthz", true), ("/livez", true), ("/readyz", true), ("/version", true), ("/api", false), ("/openapi/v2", false), ("/metrics", false) })
            Assert.Equal(allowed, feed.Current.Authorize(new AccessAttributes(UserInfo.Anonymous, "get") { Path = path }).Allowed);
        Assert.False(await AllowsAsync(UserInfo.Anonymous, "create", "authorization.k8s.io", "selfsubjectaccessreviews"));
    }

    [Fact]
    public async Task What_was_taken_away_comes_back_and_what_was_added_stays()
    {
        var role = Stored("clusterroles/system:basic-user");
        role["rules"] = Trees.Yaml("rules: [{verbs: [get], apiGroups: [x], resources: [things]}]")["rules"]!.DeepClone();
        await _store.CommitAsync(new[] { Op.Put(Prefix + "clusterroles/system:basic-user", Envelope.Write(role, "v1", 0)) });
        await Trees.DeleteAsync(_store, Prefix + "clusterrolebindings/cluster-admin");

        await BootstrapPolicy.ReconcileAsync(_store, TimeProvider.System, default);

        Assert.True(await AllowsAsync(new UserInfo("u", [UserInfo.AllAuthenticated]), "create", "authorization.k8s.io", "selfsubjectaccessreviews"));
        Assert.Contains(PolicyRule.ReadAll(Stored("clusterroles/system:basic-user")), r => r.Resources.Contains("things"));
        Assert.True(await AllowsAsync(new UserInfo("u", [UserInfo.Masters]), "delete", "", "nodes"));
    }

    [Fact]
    public async Task A_full_disk_leaves_a_cluster_its_roles_and_a_new_cluster_without_any()
    {
        var disk = new StoreDisk();
        await using var store = new MemoryStore(TimeProvider.System, new StoreOptions { FailPoints = disk });
        disk.Fill();
        await Assert.ThrowsAsync<StoreReadOnlyException>(() => BootstrapPolicy.ReconcileAsync(store, TimeProvider.System, default));

        disk.MakeRoom();
        Assert.Null(await BootstrapPolicy.ReconcileAsync(store, TimeProvider.System, default));
        await Trees.DeleteAsync(store, Prefix + "clusterroles/edit");
        disk.Fill();
        Assert.StartsWith(StoreDisk.Problem, await BootstrapPolicy.ReconcileAsync(store, TimeProvider.System, default), StringComparison.Ordinal);
        disk.MakeRoom();
        Assert.Null(await BootstrapPolicy.ReconcileAsync(store, TimeProvider.System, default));
        Assert.NotNull(store.Get(Prefix + "clusterroles/edit"));
    }

    [Fact]
    public async Task A_role_is_added_up_when_there_is_room()
    {
        var (disk, time) = (new StoreDisk(), new ManualTime());
        await using var store = new MemoryStore(TimeProvider.System, new StoreOptions { FailPoints = disk });
        await BootstrapPolicy.ReconcileAsync(store, TimeProvider.System, default);
        await Trees.PutRbacAsync(store, "clusterroles", """
            metadata: {name: my-view, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
            rules: [{verbs: [get], apiGroups: [example.com], resources: [things]}]
            """);

        disk.Fill();
        using var stop = new CancellationTokenSource();
        var running = new AggregationLoop(store, time, NullLogger<AggregationLoop>.Instance).RunAsync(stop.Token);
        await Eventually.TrueAsync(() => time.PendingTimers == 1);
        Assert.False(running.IsCompleted);
        disk.MakeRoom();
        time.Advance(TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(() => PolicyRule.ReadAll(Envelope.Read(store.Get(Prefix + "clusterroles/view")!.Value).Parse(0)).Any(rule => rule.Resources.Contains("things")));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task An_object_that_refuses_updates_is_left_alone()
    {
        var role = Stored("clusterroles/system:basic-user");
        role["metadata"]!["annotations"]!["rbac.authorization.kubernetes.io/autoupdate"] = "false";
        role["rules"] = new JsonArray();
        await _store.CommitAsync(new[] { Op.Put(Prefix + "clusterroles/system:basic-user", Envelope.Write(role, "v1", 0)) });

        await BootstrapPolicy.ReconcileAsync(_store, TimeProvider.System, default);

        Assert.Empty(PolicyRule.ReadAll(Stored("clusterroles/system:basic-user")));
    }

    [Fact]
    public async Task A_grant_counts_for_the_next_request_without_waiting_for_the_watch()
    {
        var feed = new RbacFeed(_store, NullLogger<RbacFeed>.Instance);
        await feed.LoadAsync(default);
        var authorizer = new RbacAuthorizer(feed);
        var attributes = new AccessAttributes(new UserInfo("late", []), "get") { Resource = "pods", Namespace = "a" };
        Assert.False((await authorizer.AuthorizeAsync(attributes, default)).Allowed);

        await Trees.PutRbacAsync(_store, "clusterrolebindings", "metadata: {name: late}\nroleRef: {kind: ClusterRole, name: view}\nsubjects: [{kind: User, name: late}]");

        Assert.True((await authorizer.AuthorizeAsync(attributes, default)).Allowed);
    }

    [Fact]
    public async Task The_watch_delivers_what_was_taken_away_and_a_new_part_of_an_aggregated_role()
    {
        using var stop = new CancellationTokenSource();
        var feed = new RbacFeed(_store, NullLogger<RbacFeed>.Instance);
        await feed.LoadAsync(default);
        var loops = Task.WhenAll(feed.RunAsync(stop.Token), new AggregationLoop(_store, TimeProvider.System, NullLogger<AggregationLoop>.Instance).RunAsync(stop.Token));
        await Trees.PutRbacAsync(_store, "clusterrolebindings", "metadata: {name: v}\nroleRef: {kind: ClusterRole, name: admin}\nsubjects: [{kind: User, name: v}]");
        await Trees.PutRbacAsync(_store, "clusterroles", """
            metadata: {name: my-view, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
            rules: [{verbs: [get], apiGroups: [example.com], resources: [things]}]
            """);
        var attributes = new AccessAttributes(new UserInfo("v", []), "get") { Group = "example.com", Resource = "things" };

        await Eventually.TrueAsync(() => feed.Current.Authorize(attributes).Allowed);
        await Trees.DeleteAsync(_store, Prefix + "clusterrolebindings/v");
        await Eventually.TrueAsync(() => !feed.Current.Authorize(attributes).Allowed);
        await stop.CancelAsync();
        await loops;
    }
}
