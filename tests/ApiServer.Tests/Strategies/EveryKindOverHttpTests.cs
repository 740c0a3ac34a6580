using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Strategies;

/// <summary>Every built-in kind through the whole pipeline: what a client reads it can write back, and nothing changes by that.</summary>
public sealed class EveryKindOverHttpTests
{
    public static TheoryData<string> Stored => [.. Subject.Resources.Where(resource => resource.Verbs.Contains("update")).Select(resource => resource.Resource.Qualified)];

    [Theory]
    [MemberData(nameof(Stored))]
    public async Task A_kind_can_be_created_read_written_back_applied_and_deleted(string kind)
    {
        await using var server = await TestServer.StartAsync();
        var resource = StrategyCases.Kind(kind).Resource;
        var good = StrategyCases.Good[kind].DeepClone().AsObject();
        (good["apiVersion"], good["kind"]) = (resource.Kind.ApiVersion, resource.Kind.Kind);
        var list = PathOf(resource);
        if (kind == "pods")
            (await server.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"default"}}""")).Expect(201);
        var path = $"{list}/{Uri.EscapeDataString(good["metadata"]!["name"]!.GetValue<string>())}";

        var created = (await server.PostAsync(list + "?fieldValidation=Strict", good.ToJsonString())).Expect(201);
        Assert.Equal(resource.Kind.Kind, created.Body["kind"]!.GetValue<string>());
        Assert.Equal(created.Text.Trim(), (await server.GetAsync(path)).Expect(200).Text.Trim());

        var same = (await server.PutAsync(path, created.Text)).Expect(200);
        Assert.Equal(created.Revision, same.Revision);
        if (resource.HasStatus)
            Assert.Equal(created.Revision, (await server.PutAsync(path + "/status", created.Text)).Expect(200).Revision);

        var patched = (await server.PatchAsync(path, "merge-patch+json", """{"metadata":{"labels":{"a":"b"}}}""")).Expect(200);
        Assert.NotEqual(created.Revision, patched.Revision);
        // Forced: an atomic list whose items the server defaulted differs from the configuration, in Kubernetes too.
        var applied = (await server.ApplyAsync(path + "?force=true", "applier", Configuration(good).ToJsonString())).Expect(200);
        Assert.Equal(applied.Revision, (await server.ApplyAsync(path + "?force=true", "applier", Configuration(good).ToJsonString())).Expect(200).Revision);
        Assert.Contains(applied.Metadata["uid"]!.GetValue<string>(), (await server.GetAsync(list)).Expect(200).Body["items"]!.AsArray().Select(item => item!["metadata"]!["uid"]!.GetValue<string>()));
        (await server.DeleteAsync(path)).Expect(200);
    }

    private static string PathOf(ResourceInfo resource) =>
        (resource.Resource.Group.Length == 0 ? $"/api/{resource.Resource.Version}" : $"/apis/{resource.Resource.ApiVersion}")
        + (resource.Namespaced ? "/namespaces/default/" : "/") + resource.Resource.Resource;

    // An applied configuration says nothing of the status.
    private static JsonObject Configuration(JsonObject good)
    {
        var copy = good.DeepClone().AsObject();
        copy.Remove("status");
        return copy;
    }
}
