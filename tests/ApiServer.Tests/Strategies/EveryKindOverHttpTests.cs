using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Strategies;

/// <summary>Every built-in kind through the whole pipeline: what a client reads it can write back, and nothing changes by that.</summary>
public sealed class EveryKindOverHttpTests
{
    public static TheoryData<string> Stored => [.. Subject.Resources.Where(resource => resource.Verbs.Contains("update")).Select(StrategyCases.NameOf)];

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

    [Fact]
    public async Task An_event_of_either_group_is_seen_in_both()
    {
        await using var server = await TestServer.StartAsync();
        const string Old = "/api/v1/namespaces/default/events";
        const string New = "/apis/events.k8s.io/v1/namespaces/default/events";
        (await server.PostAsync(New, """
            {"metadata":{"name":"new"},"eventTime":"2026-01-02T03:04:05.000006Z","reportingController":"example.com/c","reportingInstance":"c-1",
             "action":"Start","reason":"Started","type":"Normal","note":"hello","regarding":{"kind":"Pod","namespace":"default","name":"a"}}
            """)).Expect(201);
        (await server.PostAsync(Old, """
            {"metadata":{"name":"old"},"involvedObject":{"kind":"Pod","namespace":"default","name":"b"},"reason":"Killed","type":"Warning","message":"bye","count":2,
             "source":{"component":"agent"},"lastTimestamp":"2026-01-02T03:04:05Z"}
            """)).Expect(201);

        var core = (await server.GetAsync(Old + "/new")).Expect(200).Body;
        Assert.Equal(("v1", "hello", "a", "example.com/c"), (core["apiVersion"]!.GetValue<string>(), core["message"]!.GetValue<string>(), core["involvedObject"]!["name"]!.GetValue<string>(), core["reportingComponent"]!.GetValue<string>()));
        var events = (await server.GetAsync(New + "/old")).Expect(200).Body;
        Assert.Equal(("events.k8s.io/v1", "bye", "b", 2, "agent"), (events["apiVersion"]!.GetValue<string>(), events["note"]!.GetValue<string>(), events["regarding"]!["name"]!.GetValue<string>(), events["deprecatedCount"]!.GetValue<int>(), events["deprecatedSource"]!["component"]!.GetValue<string>()));
        Assert.Null(events["message"]);

        foreach (var (path, field) in ((string, string)[])[(Old, "involvedObject.name"), (New, "regarding.name")])
        {
            Assert.Equal(2, (await server.GetAsync(path)).Expect(200).Body["items"]!.AsArray().Count);
            Assert.Equal("old", Assert.Single((await server.GetAsync($"{path}?fieldSelector={field}=b")).Expect(200).Body["items"]!.AsArray())!["metadata"]!["name"]!.GetValue<string>());
        }
        var patched = (await server.PatchAsync(New + "/new", "merge-patch+json", """{"series":{"count":3,"lastObservedTime":"2026-01-02T03:05:05.000006Z"}}""")).Expect(200).Body;
        Assert.Equal("hello", patched["note"]!.GetValue<string>());
        Assert.Equal(3, (await server.GetAsync(Old + "/new")).Body["series"]!["count"]!.GetValue<int>());
        (await server.DeleteAsync(Old + "/new")).Expect(200);
        (await server.GetAsync(New + "/new")).Expect(404);
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
