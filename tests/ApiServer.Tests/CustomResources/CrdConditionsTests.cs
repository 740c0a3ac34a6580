using System.Text.Json.Nodes;
using Weft.ApiServer.CustomResources;

namespace Weft.ApiServer.Tests.CustomResources;

public sealed class CrdConditionsTests
{
    private static readonly DateTimeOffset Now = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private static JsonObject Crd(string plural, string kind, string group = "example.com", string shortName = "", string metadata = "{}") => JsonNode.Parse($$"""
        {"metadata":{{metadata}},"spec":{"group":"{{group}}","names":{"plural":"{{plural}}","singular":"{{kind.ToLowerInvariant()}}","kind":"{{kind}}","listKind":"{{kind}}List"{{(shortName.Length == 0 ? "" : $",\"shortNames\":[\"{shortName}\"]")}} } } }
        """)!.AsObject();

    private static JsonObject? Plan(JsonObject crd, params JsonObject[] others) => CrdConditions.Plan(crd, others, _ => [], Now);

    private static string Conditions(JsonObject crd) =>
        string.Join(' ', crd["status"]!["conditions"]!.AsArray().Select(c => $"{c!["type"]}={c["status"]}:{c["reason"]}"));

    [Fact]
    public void A_definition_without_rivals_is_established_with_its_names_and_held()
    {
        var crd = Crd("widgets", "Widget", shortName: "wd");
        var next = Plan(crd)!;
        Assert.Equal("NamesAccepted=True:NoConflicts Established=True:InitialNamesAccepted", Conditions(next));
        Assert.Equal("""{"plural":"widgets","singular":"widget","kind":"Widget","listKind":"WidgetList","shortNames":["wd"]}""", next["status"]!["acceptedNames"]!.ToJsonString());
        Assert.Equal("""["customresourcecleanup.apiextensions.k8s.io"]""", next["metadata"]!["finalizers"]!.ToJsonString());
        Assert.Equal("2024-05-01T12:00:00Z", next["status"]!["conditions"]![0]!["lastTransitionTime"]!.GetValue<string>());
        Assert.Null(crd["status"]);
    }

    [Fact]
    public void Planning_again_changes_nothing()
    {
        var next = Plan(Crd("widgets", "Widget"))!;
        Assert.Null(CrdConditions.Plan(next, [Plan(Crd("gadgets", "Gadget"))!], _ => [], Now.AddHours(1)));
    }

    [Theory]
    [InlineData("widgets", "Other", "", "PluralConflict", "\"widgets\" is already in use")]
    [InlineData("others", "Widget", "", "SingularConflict", "\"widget\" is already in use")]
    [InlineData("others", "Other", "wd", "ShortNamesConflict", "\"wd\" is already in use")]
    public void A_name_that_another_definition_has_is_refused(string plural, string kind, string shortName, string reason, string message)
    {
        var first = Plan(Crd("widgets", "Widget", shortName: "wd"))!;
        var second = Plan(Crd(plural, kind, shortName: shortName), first)!;
        Assert.Equal($"NamesAccepted=False:{reason} Established=False:NotAccepted", Conditions(second));
        Assert.Equal(message, second["status"]!["conditions"]![0]!["message"]!.GetValue<string>());
        // It is free again when the first is gone.
        Assert.Equal("NamesAccepted=True:NoConflicts Established=True:InitialNamesAccepted", Conditions(Plan(second)!));
    }

    [Fact]
    public void Other_groups_do_not_matter_but_built_in_names_do()
    {
        Assert.StartsWith("NamesAccepted=True", Conditions(Plan(Crd("widgets", "Widget"), Plan(Crd("widgets", "Widget", "other.com"))!)!), StringComparison.Ordinal);
        var taken = CrdConditions.Plan(Crd("deployments", "Deployment", "apps"), [], group => group == "apps" ? ["deployments"] : [], Now)!;
        Assert.StartsWith("NamesAccepted=False:PluralConflict", Conditions(taken), StringComparison.Ordinal);
    }

    [Fact]
    public void An_established_definition_stays_so_when_a_later_name_is_refused_and_keeps_the_accepted_ones()
    {
        var rival = Plan(Crd("gadgets", "Gadget", shortName: "gg"))!;
        var crd = Plan(Crd("widgets", "Widget", shortName: "wd"), rival)!;
        crd["spec"]!["names"]!["shortNames"] = new JsonArray("gg");
        var next = Plan(crd, rival)!;
        Assert.Equal("NamesAccepted=False:ShortNamesConflict Established=True:InitialNamesAccepted", Conditions(next));
        Assert.Equal("""["wd"]""", next["status"]!["acceptedNames"]!["shortNames"]!.ToJsonString());
    }

    [Fact]
    public void A_definition_that_is_not_served_is_not_held_and_is_not_served_any_more_once_it_is_deleted()
    {
        var first = Plan(Crd("widgets", "Widget"))!;
        var second = Plan(Crd("others", "Widget"), first)!;
        Assert.Null(second["metadata"]!["finalizers"]);
        second["metadata"]!["deletionTimestamp"] = "2024-05-01T12:00:00Z";
        Assert.Contains("Established=False:NotAccepted", Conditions(Plan(second)!), StringComparison.Ordinal);
    }

    [Fact]
    public void A_deleted_definition_is_terminating_until_it_is_released()
    {
        var crd = Plan(Crd("widgets", "Widget"))!;
        crd["metadata"]!["deletionTimestamp"] = "2024-05-01T12:00:00Z";
        var next = Plan(crd)!;
        Assert.EndsWith("Terminating=True:InstanceDeletionInProgress", Conditions(next), StringComparison.Ordinal);
        Assert.True(CrdConditions.AwaitsCleanup(next));
        Assert.False(CrdConditions.AwaitsCleanup(CrdConditions.Release(next)));
        Assert.Null(CrdConditions.Release(next)["metadata"]!["finalizers"]);
    }
}
