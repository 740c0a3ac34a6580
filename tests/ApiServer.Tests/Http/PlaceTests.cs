using Weft.Api;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Http;

/// <summary>What is asked of the authorizer and what is served must be one place: an object of the cluster is never reached through a namespace.</summary>
public sealed class PlaceTests
{
    [Theory]
    [InlineData("GET", "/api/v1/namespaces/foo/namespaces")]
    [InlineData("GET", "/api/v1/namespaces/foo/namespaces?watch=1")]
    [InlineData("GET", "/api/v1/namespaces/foo/namespaces?fieldSelector=metadata.name%3Dfoo")]
    [InlineData("DELETE", "/api/v1/namespaces/foo/namespaces")]
    [InlineData("DELETE", "/api/v1/namespaces/foo/namespaces?fieldSelector=metadata.name%3Dfoo")]
    [InlineData("POST", "/api/v1/namespaces/foo/namespaces")]
    [InlineData("GET", "/api/v1/namespaces/foo/namespaces/kube-system")]
    [InlineData("GET", "/api/v1/namespaces/foo/namespaces/kube-system?watch=1")]
    [InlineData("PUT", "/api/v1/namespaces/foo/namespaces/kube-system")]
    [InlineData("PATCH", "/api/v1/namespaces/foo/namespaces/kube-system")]
    [InlineData("DELETE", "/api/v1/namespaces/foo/namespaces/kube-system")]
    [InlineData("GET", "/api/v1/namespaces/foo/namespaces/kube-system/status")]
    [InlineData("PUT", "/api/v1/namespaces/foo/namespaces/kube-system/status")]
    [InlineData("PATCH", "/api/v1/namespaces/foo/namespaces/kube-system/status")]
    [InlineData("PUT", "/api/v1/namespaces/foo/namespaces/kube-system/finalize")]
    [InlineData("GET", "/api/v1/namespaces/foo/nodes")]
    [InlineData("GET", "/api/v1/namespaces/foo/nodes/n1")]
    [InlineData("PATCH", "/api/v1/namespaces/foo/nodes/n1/status")]
    [InlineData("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/foo/clusterroles")]
    [InlineData("DELETE", "/apis/rbac.authorization.k8s.io/v1/namespaces/foo/clusterroles/cluster-admin")]
    [InlineData("GET", "/apis/example.com/v1/namespaces/foo/realms")]
    [InlineData("POST", "/apis/example.com/v1/namespaces/foo/realms")]
    [InlineData("DELETE", "/apis/example.com/v1/namespaces/foo/realms/r")]
    [InlineData("GET", "/apis/example.org/v1/namespaces/r")]
    [InlineData("DELETE", "/apis/example.org/v1/namespaces/foo/namespaces/r")]
    public async Task An_object_of_the_cluster_is_not_found_in_a_namespace(string method, string path)
    {
        await using var server = await TestServer.StartAsync(parts: parts => parts with
        {
            Catalog = new FixedCatalog([.. parts.Catalog.Current.All, FixtureKinds.Realms with { Resource = new GroupVersionResource("example.org", "v1", "namespaces") }]),
        });
        (await server.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"foo"}}""")).Expect(201);
        var revision = server.Store.Revision;
        var body = method is "POST" or "PUT" or "PATCH" ? """{"metadata":{"name":"kube-system","labels":{"taken":"over"}}}""" : null;

        (await server.SendAsync(new HttpMethod(method), path, body, method == "PATCH" ? "application/merge-patch+json" : "application/json")).Expect(404);

        Assert.Equal(revision, server.Store.Revision);
    }

    [Fact]
    public async Task A_namespace_is_served_by_its_own_path()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"foo"}}""")).Expect(201);

        (await server.GetAsync("/api/v1/namespaces/foo")).Expect(200);
        (await server.PatchAsync("/api/v1/namespaces/foo", "merge-patch+json", """{"metadata":{"labels":{"a":"b"}}}""")).Expect(200);
        (await server.GetAsync("/api/v1/namespaces/foo/status")).Expect(200);
        var space = (await server.GetAsync("/api/v1/namespaces/foo")).Text;
        (await server.PutAsync("/api/v1/namespaces/foo/finalize", space)).Expect(200);
        (await server.GetAsync("/api/v1/namespaces?fieldSelector=metadata.name%3Dfoo")).Expect(200);
        (await server.DeleteAsync("/api/v1/namespaces/foo")).Expect(200);
    }
}
