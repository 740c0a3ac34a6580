using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Status;
using Weft.Testing;

namespace Weft.Control.Tests.Mesh.Feed;

public sealed class MeshStatusPlannerTests
{
    private static readonly DateTimeOffset Now = ManualTime.Start;
    private static readonly ObjectRef About = new("VirtualService", "shop", "web");

    private static ObjectVerdict Verdict(long generation = 1, params MeshDiagnostic[] diagnostics) => new("uid", generation, [.. diagnostics], 7, Now);

    private static MeshDiagnostic Problem(Severity severity, string field = "spec.hosts[0]") => new(About, field, severity, "is wrong");

    private static string Said(IstioStatus status, string type) => status.Conditions.Single(condition => condition.Type == type) is var condition ? $"{condition.Status} {condition.Reason}" : "";

    [Theory]
    [InlineData(Progress.NoProxies, null, "Unknown NoProxies")]
    [InlineData(Progress.Pending, null, "False Pending")]
    [InlineData(Progress.Served, null, "True Programmed")]
    [InlineData(Progress.Served, "no", "False Rejected")]
    internal void Programmed_says_how_far_it_has_come(Progress progress, string? rejection, string expected) =>
        Assert.Equal(expected, Said(MeshStatusPlanner.Plan(new(), Verdict(), progress, rejection, Now), "Programmed"));

    [Fact]
    public void What_is_planned_again_is_the_same()
    {
        foreach (var progress in Enum.GetValues<Progress>())
        {
            foreach (var verdict in new[] { Verdict(), Verdict(2, Problem(Severity.Error)), Verdict(3, Problem(Severity.Unsupported), Problem(Severity.Warning, "spec.x")) })
            {
                var once = MeshStatusPlanner.Plan(new(), verdict, progress, null, Now);
                var twice = MeshStatusPlanner.Plan(once, verdict, progress, null, Now.AddHours(1));
                Assert.Equal(Api.Json.ApiJson.ToTree(once).ToJsonString(), Api.Json.ApiJson.ToTree(twice).ToJsonString());
            }
        }
    }

    [Theory]
    [InlineData(Progress.NoProxies)]
    [InlineData(Progress.Pending)]
    internal void What_was_said_of_a_generation_holds_until_there_is_something_else_to_say(Progress progress)
    {
        var served = MeshStatusPlanner.Plan(new(), Verdict(), Progress.Served, null, Now);
        Assert.Equal("True Programmed", Said(MeshStatusPlanner.Plan(served, Verdict(), progress, null, Now), "Programmed"));
        Assert.Equal(progress == Progress.Pending ? "False Pending" : "Unknown NoProxies", Said(MeshStatusPlanner.Plan(served, Verdict(2), progress, null, Now), "Programmed"));
        var refused = MeshStatusPlanner.Plan(new(), Verdict(), Progress.Served, "no", Now);
        Assert.Equal("False Rejected", Said(MeshStatusPlanner.Plan(refused, Verdict(), progress, null, Now), "Programmed"));
        Assert.Equal("True Programmed", Said(MeshStatusPlanner.Plan(refused, Verdict(), Progress.Served, null, Now), "Programmed"));
    }

    [Fact]
    public void An_error_is_not_accepted_and_what_is_unsupported_is_in_part()
    {
        var wrong = MeshStatusPlanner.Plan(new(), Verdict(1, Problem(Severity.Warning), Problem(Severity.Error, "spec.b")), Progress.Served, null, Now);
        Assert.Equal(("False Invalid", "False Invalid"), (Said(wrong, "Accepted"), Said(wrong, "Programmed")));
        Assert.Equal("spec.b: is wrong; spec.hosts[0]: is wrong", wrong.Conditions[0].Message);
        var unsupported = MeshStatusPlanner.Plan(new(), Verdict(1, Problem(Severity.Unsupported)), Progress.Served, null, Now);
        Assert.Equal(("True Accepted", "True Programmed"), (Said(unsupported, "Accepted"), Said(unsupported, "Programmed")));
        Assert.Equal("spec.hosts[0]: is wrong", unsupported.Conditions[0].Message);
        Assert.Equal("True UnsupportedValue", Said(unsupported, "PartiallyInvalid"));
        Assert.Equal("spec.hosts[0]: is wrong", unsupported.Conditions[2].Message);
    }

    [Fact]
    public void Partially_invalid_is_said_of_what_is_in_effect_alone_and_goes_with_its_cause()
    {
        var partly = MeshStatusPlanner.Plan(new(), Verdict(1, Problem(Severity.Warning, "spec.a"), Problem(Severity.Unsupported, "spec.b")), Progress.Served, null, Now);
        Assert.Equal("spec.b: is wrong", Assert.Single(partly.Conditions, condition => condition.Type == "PartiallyInvalid").Message);
        Assert.Equal(["Accepted", "Programmed"], MeshStatusPlanner.Plan(partly, Verdict(2, Problem(Severity.Warning)), Progress.Served, null, Now).Conditions.Select(condition => condition.Type));
        Assert.Equal(["Accepted", "Programmed"], MeshStatusPlanner.Plan(partly, Verdict(2, Problem(Severity.Unsupported), Problem(Severity.Error)), Progress.Served, null, Now).Conditions.Select(condition => condition.Type));
    }

    [Theory]
    [InlineData("Unsupported", null, "False Unsupported")]
    [InlineData("TargetNotFound", null, "False TargetNotFound")]
    [InlineData("Unsupported", "Unsupported", "False Unsupported")]
    [InlineData("Unsupported", "TargetNotFound", "False Invalid")]
    [InlineData("Unsupported", "", "False Invalid")]
    public void What_has_no_effect_says_the_reason_where_there_is_one(string first, string? second, string expected)
    {
        MeshDiagnostic[] problems = [Problem(Severity.Error) with { Reason = first }, .. second is null ? [] : new[] { Problem(Severity.Error, "spec.b") with { Reason = second.Length == 0 ? null : second } }];
        var planned = MeshStatusPlanner.Plan(new(), Verdict(1, problems), Progress.Served, null, Now);
        Assert.Equal((expected, expected), (Said(planned, "Accepted"), Said(planned, "Programmed")));
        Assert.Equal(first == "Unsupported" ? "WEFT0002 ERROR" : "WEFT0001 ERROR", $"{planned.ValidationMessages[0]["type"]!["code"]} {planned.ValidationMessages[0]["level"]}");
    }

    [Fact]
    public void What_others_have_written_stays()
    {
        var status = new IstioStatus
        {
            Conditions = [new() { Type = "Reconciled", Status = "True" }], ValidationMessages = [new JsonObject { ["type"] = new JsonObject { ["code"] = "IST0101" } }],
        };
        var planned = MeshStatusPlanner.Plan(status, Verdict(1, Problem(Severity.Error)), Progress.Served, null, Now);
        Assert.Equal(["Reconciled", "Accepted", "Programmed"], planned.Conditions.Select(condition => condition.Type));
        Assert.Equal(["IST0101", "WEFT0001"], planned.ValidationMessages.Select(message => (string)message["type"]!["code"]!));
    }

    [Fact]
    public void A_time_changes_only_with_the_status()
    {
        var first = MeshStatusPlanner.Plan(new(), Verdict(), Progress.Pending, null, Now);
        var later = MeshStatusPlanner.Plan(first, Verdict(), Progress.Served, null, Now.AddMinutes(1));
        Assert.Equal([Now, Now.AddMinutes(1)], later.Conditions.Select(condition => condition.LastTransitionTime!.Value));
    }

    [Fact]
    public void A_long_list_is_cut()
    {
        var planned = MeshStatusPlanner.Plan(new(), Verdict(1, [.. Enumerable.Range(0, 500).Select(i => Problem(Severity.Error, $"spec.hosts[{i}]"))]), Progress.Served, null, Now);
        Assert.Equal(50, planned.ValidationMessages.Count);
        Assert.EndsWith("; and 492 more", planned.Conditions[0].Message, StringComparison.Ordinal);
    }
}
