using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Apply;
using Weft.Api.Schemas;
using Weft.Api.Tests.Trees;
using Weft.Api.Trees;

namespace Weft.Api.Tests.Apply;

public sealed class ServerSideApplyTests
{
    private static readonly DateTimeOffset Start = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private static FieldManager Manager(string name) => new(name, "apps/v1", HasStatus: true);

    private static ApplyOutcome Apply(JsonObject? live, string manager, string config, bool force = false, int minutes = 0) =>
        ServerSideApply.Apply(live, Shape.Tree(config), Shape.Deployment, Manager(manager), force, Start.AddMinutes(minutes));

    private static JsonObject Applied(JsonObject? live, string manager, string config, bool force = false, int minutes = 0)
    {
        var before = live?.ToJsonString();
        var outcome = Apply(live, manager, config, force, minutes);
        Assert.Empty(outcome.Conflicts);
        Assert.Equal(before, live?.ToJsonString());
        return outcome.Object!;
    }

    private static JsonObject Updated(JsonObject? live, string manager, Action<JsonObject> change, int minutes = 0)
    {
        var tree = live is null ? [] : (JsonObject)live.DeepClone();
        change(tree);
        ManagedFields.Update(live, tree, Shape.Deployment, Manager(manager), Start.AddMinutes(minutes));
        return tree;
    }

    private static string Bare(JsonObject tree) => ManagedFields.Bare(tree)!.ToJsonString();

    private static string? Owned(JsonObject tree, string manager) => tree["metadata"]!["managedFields"]?.AsArray()
        .Where(e => e!["manager"]!.GetValue<string>() == manager).Select(e => FieldsV1.Read(e!["fieldsV1"]).ToString()).SingleOrDefault();

    private static string Pod(string spec) => """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"template":{"spec":""" + spec + "}}}";

    private static string PodOf(JsonObject tree) => tree["spec"]!["template"]!["spec"]!.ToJsonString();

    [Fact]
    public void Creates_what_is_applied_first()
    {
        var tree = Applied(null, "me", """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"d","labels":{"a":"1"}},"spec":{"replicas":2}}""");
        Assert.Equal("""
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"d","labels":{"a":"1"},"managedFields":[{"manager":"me","operation":"Apply","apiVersion":"apps/v1","time":"2024-05-01T12:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:replicas":{}}}}]},"spec":{"replicas":2}}
            """.Trim(), tree.ToJsonString());
    }

    [Fact]
    public void The_same_again_changes_nothing_not_even_the_time()
    {
        var config = Pod("""{"containers":[{"name":"a","image":"1","ports":[{"containerPort":80}]}],"volumes":[{"name":"v","emptyDir":{}}]}""");
        var tree = Applied(null, "me", config);
        var again = Apply(tree, "me", config, minutes: 5);
        Assert.False(again.Changed);
        Assert.Equal(tree.ToJsonString(), again.Object!.ToJsonString());
    }

    [Fact]
    public void A_field_that_is_no_longer_applied_is_removed()
    {
        var tree = Applied(null, "me", """{"metadata":{"name":"x","labels":{"a":"1","b":"2"}},"spec":{"replicas":1,"strategy":{"type":"Recreate"}}}""");
        tree = Applied(tree, "me", """{"metadata":{"name":"x","labels":{"a":"1"}},"spec":{"replicas":1}}""", minutes: 1);
        Assert.Equal("""{"metadata":{"name":"x","labels":{"a":"1"}},"spec":{"replicas":1}}""", Bare(tree));
        Assert.Equal(".metadata.labels.a\n.spec.replicas", Owned(tree, "me"));
    }

    [Fact]
    public void A_field_that_another_applier_owns_stays()
    {
        var tree = Applied(null, "me", """{"metadata":{"name":"x"},"spec":{"replicas":1,"paused":true}}""");
        tree = Applied(tree, "you", """{"metadata":{"name":"x"},"spec":{"replicas":1}}""");
        tree = Applied(tree, "me", """{"metadata":{"name":"x"},"spec":{}}""");
        Assert.Equal("""{"metadata":{"name":"x"},"spec":{"replicas":1}}""", Bare(tree));
        Assert.Equal(".spec.replicas", Owned(tree, "you"));
    }

    [Fact]
    public void A_different_value_is_a_conflict_that_names_owner_and_field()
    {
        var tree = Updated(null, "kubectl-client-side-apply", t => t["spec"] = new JsonObject { ["replicas"] = 1 });
        var outcome = Apply(tree, "me", """{"metadata":{"name":"x"},"spec":{"replicas":2}}""");
        Assert.Null(outcome.Object);
        Assert.Equal([new FieldConflict("\"kubectl-client-side-apply\" using apps/v1", ".spec.replicas")], outcome.Conflicts);
        Assert.Equal("Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using apps/v1: .spec.replicas", FieldConflict.Summary(outcome.Conflicts));
    }

    [Fact]
    public void Several_conflicts_are_listed_by_owner()
    {
        var tree = Applied(null, "a", Pod("""{"containers":[{"name":"c","image":"1"}],"hostname":"h"}"""));
        tree = Updated(tree, "b", t => t["spec"]!["replicas"] = 1);
        var outcome = Apply(tree, "me", """{"metadata":{"name":"web"},"spec":{"replicas":2,"template":{"spec":{"hostname":"i","containers":[{"name":"c","image":"2"}]}}}}""");
        Assert.Equal("Apply failed with 3 conflicts: conflicts with \"a\":\n- .spec.template.spec.containers[name=\"c\"].image\n- .spec.template.spec.hostname\nconflicts with \"b\" using apps/v1:\n- .spec.replicas",
            FieldConflict.Summary(outcome.Conflicts));
    }

    [Fact]
    public void The_same_value_is_shared_and_force_takes_a_field()
    {
        var tree = Applied(null, "a", """{"metadata":{"name":"x"},"spec":{"replicas":1,"paused":true}}""");
        tree = Applied(tree, "b", """{"metadata":{"name":"x"},"spec":{"replicas":1}}""");
        Assert.Equal(".spec.paused\n.spec.replicas", Owned(tree, "a"));
        Assert.Equal(".spec.replicas", Owned(tree, "b"));
        tree = Applied(tree, "b", """{"metadata":{"name":"x"},"spec":{"replicas":5}}""", force: true);
        Assert.Equal(".spec.paused", Owned(tree, "a"));
        Assert.Equal("""{"metadata":{"name":"x"},"spec":{"replicas":5,"paused":true}}""", Bare(tree));
    }

    [Fact]
    public void Lists_merge_by_key_and_each_manager_removes_only_its_own_items()
    {
        var tree = Applied(null, "me", Pod("""{"containers":[{"name":"web","image":"1","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]}]}"""));
        tree = Applied(tree, "mesh", Pod("""{"containers":[{"name":"proxy","image":"p"}]}"""));
        Assert.Equal("""{"containers":[{"name":"web","image":"1","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]},{"name":"proxy","image":"p"}]}""", PodOf(tree));
        tree = Applied(tree, "me", Pod("""{"containers":[{"name":"web","image":"1","env":[{"name":"B","value":"2"}]}]}"""));
        Assert.Equal("""{"containers":[{"name":"web","image":"1","env":[{"name":"B","value":"2"}]},{"name":"proxy","image":"p"}]}""", PodOf(tree));
        tree = Applied(tree, "me", Pod("""{"hostname":"h"}"""));
        Assert.Equal("""{"containers":[{"name":"proxy","image":"p"}],"hostname":"h"}""", PodOf(tree));
    }

    [Fact]
    public void An_item_keeps_what_others_own_in_it()
    {
        var tree = Applied(null, "me", Pod("""{"containers":[{"name":"web","image":"1"}]}"""));
        tree = Applied(tree, "limits", Pod("""{"containers":[{"name":"web","resources":{"limits":{"cpu":"1"}}}]}"""));
        tree = Applied(tree, "me", Pod("{}"));
        Assert.Equal("""{"containers":[{"name":"web","resources":{"limits":{"cpu":"1"}}}]}""", PodOf(tree));
    }

    [Fact]
    public void Ports_are_named_by_number_and_default_protocol()
    {
        var tree = Applied(null, "me", Pod("""{"containers":[{"name":"web","ports":[{"containerPort":80,"name":"http"}]}]}"""));
        // As the server's defaulting stores it.
        tree["spec"]!["template"]!["spec"]!["containers"]![0]!["ports"]![0]!["protocol"] = "TCP";
        tree = Applied(tree, "me", Pod("""{"containers":[{"name":"web","ports":[{"containerPort":80,"name":"web"},{"containerPort":80,"protocol":"UDP"}]}]}"""));
        Assert.Equal("""{"containers":[{"name":"web","ports":[{"containerPort":80,"name":"web","protocol":"TCP"},{"containerPort":80,"protocol":"UDP"}]}]}""", PodOf(tree));
    }

    [Theory]
    [InlineData("a b c", "c a", "c a", "me")]
    [InlineData("a b c", "x a y", "x a b c y", "other")]
    [InlineData("a b c d", "d c", "a b d c", "other")]
    [InlineData("a b", "b x", "a b x", "other")]
    public void Merged_lists_keep_the_order_of_the_configuration(string live, string config, string expected, string owner)
    {
        static JsonNode List(string names) => new JsonArray([.. names.Split(' ').Select(n => (JsonNode)new JsonObject { ["name"] = n })]);
        var tree = Applied(null, owner, Pod(new JsonObject { ["containers"] = List(live) }.ToJsonString()));
        tree = Applied(tree, "me", Pod(new JsonObject { ["containers"] = List(config) }.ToJsonString()));
        Assert.Equal(expected, string.Join(' ', tree["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Select(c => c!["name"]!.GetValue<string>())));
    }

    [Fact]
    public void Sets_merge_by_value_and_atomic_values_as_a_whole()
    {
        var tree = Applied(null, "me", """{"metadata":{"name":"x","finalizers":["a","b"]},"spec":{"template":{"spec":{"nodeSelector":{"x":"1"},"tolerations":[{"key":"k"}]}}}}""");
        tree = Applied(tree, "you", """{"metadata":{"name":"x","finalizers":["c"]}}""");
        Assert.Equal("""["a","b","c"]""", tree["metadata"]!["finalizers"]!.ToJsonString());
        tree = Applied(tree, "me", """{"metadata":{"name":"x","finalizers":["a"]},"spec":{"template":{"spec":{"nodeSelector":{"y":"2"},"tolerations":[]}}}}""");
        Assert.Equal("""["a","c"]""", tree["metadata"]!["finalizers"]!.ToJsonString());
        Assert.Equal("""{"nodeSelector":{"y":"2"},"tolerations":[]}""", PodOf(tree));
        var outcome = Apply(tree, "you", """{"metadata":{"name":"x","finalizers":["c"]},"spec":{"template":{"spec":{"nodeSelector":{"y":"2","z":"3"}}}}}""");
        Assert.Equal([".spec.template.spec.nodeSelector"], outcome.Conflicts.Select(c => c.Field));
    }

    [Fact]
    public void An_update_takes_what_it_changes_and_drops_what_it_removes()
    {
        var tree = Applied(null, "me", """{"metadata":{"name":"x"},"spec":{"replicas":1,"paused":true}}""");
        tree = Updated(tree, "hpa", t =>
        {
            t["spec"]!["replicas"] = 3;
            t["spec"]!.AsObject().Remove("paused");
        }, minutes: 1);
        Assert.Equal(".spec.replicas", Owned(tree, "hpa"));
        Assert.Null(Owned(tree, "me"));
        // Not owned any longer, so leaving it out does not remove it.
        tree = Applied(tree, "me", """{"metadata":{"name":"x"},"spec":{}}""", minutes: 2);
        Assert.Equal("""{"metadata":{"name":"x"},"spec":{"replicas":3}}""", Bare(tree));
    }

    [Fact]
    public void An_update_without_a_change_keeps_every_time()
    {
        var tree = Updated(null, "a", t => t["spec"] = new JsonObject { ["replicas"] = 1 });
        var again = Updated(tree, "b", t => t["metadata"]!["resourceVersion"] = "7", minutes: 9);
        Assert.Equal(tree["metadata"]!["managedFields"]!.ToJsonString(), again["metadata"]!["managedFields"]!.ToJsonString());
    }

    [Fact]
    public void Identity_and_counters_are_nobodys()
    {
        var tree = Updated(null, "a", t =>
        {
            t["apiVersion"] = "apps/v1";
            t["kind"] = "Deployment";
            t["metadata"] = Shape.Tree("""{"name":"x","namespace":"d","uid":"1","resourceVersion":"2","generation":3,"creationTimestamp":"2024-05-01T12:00:00Z","generateName":"x-"}""");
        });
        Assert.Equal(".metadata.generateName", Owned(tree, "a"));
    }

    [Fact]
    public void Status_belongs_to_those_who_write_it_through_its_subresource()
    {
        var tree = Applied(null, "me", """{"metadata":{"name":"x"},"spec":{"replicas":1},"status":{"replicas":9}}""");
        Assert.Equal(".spec.replicas", Owned(tree, "me"));
        var next = (JsonObject)tree.DeepClone();
        next["status"] = Shape.Tree("""{"replicas":1}""");
        next["metadata"]!["labels"] = Shape.Tree("""{"a":"b"}""");
        ManagedFields.Update(tree, next, Shape.Deployment, Manager("controller") with { Subresource = "status" }, Start);
        Assert.Equal(".status.replicas", Owned(next, "controller"));
        Assert.Equal("status", next["metadata"]!["managedFields"]![1]!["subresource"]!.GetValue<string>());
        var outcome = ServerSideApply.Apply(next, Shape.Tree("""{"metadata":{"name":"x"},"status":{"replicas":2}}"""), Shape.Deployment, Manager("me") with { Subresource = "status" }, false, Start);
        Assert.Equal("Apply failed with 1 conflict: conflict with \"controller\" with subresource \"status\" using apps/v1: .status.replicas", FieldConflict.Summary(outcome.Conflicts));
    }

    [Fact]
    public void Ten_updaters_are_kept_and_the_oldest_share_an_entry()
    {
        JsonObject? tree = null;
        for (var i = 0; i < 30; i++)
            tree = Updated(tree, $"m{i:d2}", t => (t["metadata"] ??= new JsonObject())["labels"] = With(t["metadata"]!["labels"], $"l{i}"), i);
        var managers = tree!["metadata"]!["managedFields"]!.AsArray().Select(e => e!["manager"]!.GetValue<string>()).ToList();
        Assert.Equal(["ancient-changes", "m21", "m22", "m23", "m24", "m25", "m26", "m27", "m28", "m29"], managers);
        Assert.Contains(".metadata.labels.l20", Owned(tree, "ancient-changes"), StringComparison.Ordinal);

        static JsonObject With(JsonNode? labels, string name)
        {
            var copy = labels is null ? [] : (JsonObject)labels.DeepClone();
            copy[name] = "x";
            return copy;
        }
    }

    [Fact]
    public void A_client_may_edit_the_list_and_one_empty_entry_clears_it()
    {
        var tree = Applied(null, "me", """{"metadata":{"name":"x"},"spec":{"replicas":1}}""");
        var edited = Updated(tree, "kubectl", t => t["metadata"]!["managedFields"]![0]!["manager"] = "renamed");
        Assert.Equal(".spec.replicas", Owned(edited, "renamed"));
        var cleared = Updated(tree, "kubectl", t => t["metadata"]!["managedFields"] = new JsonArray(new JsonObject()));
        Assert.Null(cleared["metadata"]!["managedFields"]);
        var ignored = Updated(tree, "kubectl", t => t["metadata"]!["managedFields"] = new JsonArray());
        Assert.Equal(".spec.replicas", Owned(ignored, "me"));
        var broken = Updated(tree, "kubectl", t => t["metadata"]!["managedFields"] = new JsonArray(new JsonObject { ["operation"] = "Spam" }));
        Assert.Equal(".spec.replicas", Owned(broken, "me"));
    }

    [Fact]
    public void An_object_without_entries_is_owned_by_before_first_apply()
    {
        var live = Shape.Tree("""{"metadata":{"name":"x"},"spec":{"replicas":1}}""");
        var outcome = Apply(live, "me", """{"metadata":{"name":"x"},"spec":{"replicas":2}}""");
        Assert.Equal("Apply failed with 1 conflict: conflict with \"before-first-apply\" using apps/v1: .spec.replicas", FieldConflict.Summary(outcome.Conflicts));
    }

    private static JsonObject ClientSideApplied(string replicas) => Updated(null, "kubectl-client-side-apply", t =>
    {
        t["metadata"] = Shape.Tree("""{"name":"x","annotations":{}}""");
        t["metadata"]!["annotations"]!["kubectl.kubernetes.io/last-applied-configuration"] = """{"metadata":{"name":"x"},"spec":{"replicas":1,"paused":true}}""" + "\n";
        t["spec"] = Shape.Tree($$"""{"replicas":{{replicas}},"paused":true}""");
    });

    [Fact]
    public void Server_side_apply_takes_over_from_client_side_apply()
    {
        var tree = Applied(ClientSideApplied("1"), "kubectl", """{"metadata":{"name":"x"},"spec":{"replicas":4}}""");
        Assert.Equal("4", tree["spec"]!["replicas"]!.ToJsonString());
        Assert.Equal(".spec.replicas", Owned(tree, "kubectl"));
        Assert.DoesNotContain(".spec.replicas", Owned(tree, "kubectl-client-side-apply"), StringComparison.Ordinal);
        // The annotation follows, so client-side apply could go on from here.
        Assert.Equal("""{"metadata":{"name":"x"},"spec":{"replicas":4}}""" + "\n", tree["metadata"]!["annotations"]!["kubectl.kubernetes.io/last-applied-configuration"]!.GetValue<string>());
    }

    [Fact]
    public void Taking_over_without_a_change_leaves_the_annotation_alone()
    {
        var before = ClientSideApplied("1");
        before["metadata"]!["annotations"]!["kubectl.kubernetes.io/last-applied-configuration"] = """{"metadata":{"annotations":{},"name":"x"},"spec":{"replicas":1,"paused":true}}""";
        var tree = Applied(before, "kubectl", """{"metadata":{"name":"x"},"spec":{"paused":true,"replicas":1}}""");
        Assert.Equal(before["metadata"]!["annotations"]!.ToJsonString(), tree["metadata"]!["annotations"]!.ToJsonString());
    }

    [Fact]
    public void But_not_what_changed_since_and_not_for_other_managers()
    {
        Assert.Single(Apply(ClientSideApplied("7"), "kubectl", """{"metadata":{"name":"x"},"spec":{"replicas":4}}""").Conflicts);
        Assert.Single(Apply(ClientSideApplied("1"), "other", """{"metadata":{"name":"x"},"spec":{"replicas":4}}""").Conflicts);
    }

    [Theory]
    [InlineData("""{"metadata":{"name":"x"},"spec":{"replica":1}}""", "failed to create typed patch object (/x; apps/v1, Kind=): .spec.replica: field not declared in schema")]
    [InlineData("""{"kind":"Deployment","metadata":{"name":"x","namespace":"d"},"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}""",
        "failed to create typed patch object (d/x; apps/v1, Kind=Deployment): .spec.template.spec.containers: element 0: associative list with keys has an element that omits key field \"name\" (and doesn't have default value)")]
    [InlineData("""{"metadata":{"name":"x"},"spec":{"template":{"spec":{"containers":[{"name":"a"},{"name":"a"}]}}}}""", ".spec.template.spec.containers: duplicate entries for key [name=\"a\"]")]
    [InlineData("""{"metadata":{"name":"x"},"spec":{"template":{"spec":{"containers":{}}}}}""", ".spec.template.spec.containers: expected list, got map")]
    [InlineData("""{"metadata":{"name":"x"},"spec":{"replicas":{}}}""", ".spec.replicas: expected numeric (int or float), got map")]
    [InlineData("""{"metadata":{"name":"x"},"spec":[]}""", ".spec: expected map, got list")]
    [InlineData("""{"metadata":{"name":"x","managedFields":[{}]}}""", "metadata.managedFields must be nil")]
    public void Refuses_what_does_not_fit_the_schema(string config, string message) =>
        Assert.Contains(message, Assert.Throws<FieldsException>(() => Apply(null, "me", config)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("kubectl/v1.32.0 (linux/amd64) kubernetes/abc", "kubectl")]
    [InlineData("", "unknown")]
    [InlineData(null, "unknown")]
    public void A_manager_without_a_name_is_called_after_its_program(string? agent, string name) => Assert.Equal(name, FieldManager.DefaultName(agent));

    // Readers of .NET stop at 64 levels: the deepest object that is accepted must stay readable with its owners, as a row of a Table.
    [Fact]
    public void The_deepest_object_stays_readable_with_its_managed_fields()
    {
        var text = """{"metadata":{"name":"x"},"free":""" + string.Concat(Enumerable.Repeat("""{"d":""", 55)) + "1" + new string('}', 56);
        var config = (JsonObject)JsonTree.Parse(Encoding.UTF8.GetBytes(text)).Root!;
        var schema = Shape.Object(("metadata", Shape.Metadata), ("free", Schema.Anything));
        var tree = ServerSideApply.Apply(null, config, schema, Manager("me"), false, Start).Object!;
        var row = """{"rows":[{"object":""" + Encoding.UTF8.GetString(JsonTree.WriteUtf8(tree)) + "}]}";
        Assert.NotNull(JsonNode.Parse(row));
    }
}
