using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Lifecycle;

namespace Weft.Control.Tests.Lifecycle;

public sealed class QuotaPlannerTests
{
    private static ResourceQuotaSpec Hard(params (string Name, string Amount)[] hard) => new() { Hard = hard.ToDictionary(h => h.Name, h => Quantity.Parse(h.Amount)) };

    private static JsonObject Pod(string phase, string cpu, string initCpu = "0", string? priorityClass = null) => (JsonObject)JsonNode.Parse($$$$"""
        {"spec":{"priorityClassName":{{{{(priorityClass is null ? "null" : $"\"{priorityClass}\"")}}}},"overhead":{"cpu":"10m"},
         "containers":[{"name":"a","resources":{"requests":{"cpu":"{{{{cpu}}}}"},"limits":{"memory":"1Gi"}}},{"name":"b"}],
         "initContainers":[{"name":"i","resources":{"requests":{"cpu":"{{{{initCpu}}}}"}}}]},"status":{"phase":"{{{{phase}}}}"}}
        """)!;

    private static string Used(ResourceQuotaSpec quota, params QuotaObjects[] objects) =>
        string.Join(' ', QuotaPlanner.Plan(quota, objects).Used.OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => $"{u.Key}={u.Value}"));

    [Fact]
    public void Running_pods_count_with_all_they_ask_for_and_ended_ones_as_objects_alone() => Assert.Equal(
        "count/pods=3 cpu=1020m limits.memory=2Gi pods=2 requests.cpu=1020m",
        Used(Hard(("pods", "9"), ("count/pods", "9"), ("cpu", "9"), ("requests.cpu", "9"), ("limits.memory", "9Gi")), new QuotaObjects("", "pods", [Pod("Running", "500m"), Pod("Pending", "100m", "500m"), Pod("Failed", "4")])));

    [Fact]
    public void Scopes_leave_out_what_is_not_theirs()
    {
        var quota = Hard(("pods", "9")) with { ScopeSelector = new() { MatchExpressions = [new() { ScopeName = "PriorityClass", Operator = "In", Values = ["high"] }] } };
        Assert.Equal("pods=1", Used(quota, new QuotaObjects("", "pods", [Pod("Running", "1", priorityClass: "high"), Pod("Running", "1")])));
    }

    [Fact]
    public void The_kinds_that_are_looked_at_are_those_that_it_names()
    {
        var quota = Hard(("pods", "1"), ("limits.cpu", "1"), ("services.nodeports", "1"), ("count/widgets.example.com", "1"), ("gold.storageclass.storage.k8s.io/requests.storage", "1Gi"), ("secrets", "1"));
        Assert.Equal([("", "persistentvolumeclaims"), ("", "pods"), ("", "secrets"), ("", "services"), ("example.com", "widgets")], QuotaPlanner.Kinds(quota));
    }

    [Fact]
    public void A_quota_is_unknown_until_what_it_allows_was_counted()
    {
        var spec = Hard(("pods", "1"));
        Assert.True(QuotaPlanner.IsUnknown(new ResourceQuota { Spec = spec }));
        var counted = new ResourceQuota { Spec = spec, Status = QuotaPlanner.Plan(spec, []) };
        Assert.False(QuotaPlanner.IsUnknown(counted));
        Assert.True(QuotaPlanner.IsUnknown(counted with { Spec = Hard(("pods", "2")) }));
    }
}
