using System.Text.Json.Nodes;
using Weft.Api.Apply;
using Weft.Api.Tests.Trees;

namespace Weft.Api.Tests.Apply;

public sealed class ApplyPropertyTests
{
    private static readonly DateTimeOffset Now = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly FieldManager A = new("a", "apps/v1", HasStatus: true);
    private static readonly FieldManager B = new("b", "apps/v1", HasStatus: true);

    private static JsonObject Fitting(Random random)
    {
        var tree = (JsonObject)RandomTree.Fitting(random, Shape.Deployment);
        tree.Remove("status");
        tree["metadata"] ??= new JsonObject();
        tree["metadata"]!["name"] = "x";
        // What nobody owns is not removed either.
        foreach (var untracked in new[] { "namespace", "uid", "resourceVersion", "generation", "creationTimestamp" })
            tree["metadata"]!.AsObject().Remove(untracked);
        return tree;
    }

    // With the objects that hold fields: who set `labels: {}` goes on owning the name when others fill it.
    private static FieldSet Existing(JsonObject tree) => TreeRemoval.WithNamedFields(TypedTree.Fields(ManagedFields.Bare(tree), Shape.Deployment), Shape.Deployment);

    private static ApplyOutcome Apply(JsonObject? live, JsonObject config, FieldManager manager, bool force = false, int minutes = 0) =>
        ServerSideApply.Apply(live, config, Shape.Deployment, manager, force, Now.AddMinutes(minutes));

    [Fact]
    public void Applying_twice_is_applying_once()
    {
        var random = new Random(21);
        for (var i = 0; i < 300; i++)
        {
            var config = Fitting(random);
            var tree = Apply(null, config, A).Object!;
            Assert.True(JsonNode.DeepEquals(config, ManagedFields.Bare(tree)));
            var again = Apply(tree, config, A, minutes: 1);
            Assert.False(again.Changed, tree.ToJsonString() + "\n" + again.Object!.ToJsonString());
            Assert.Equal(tree.ToJsonString(), again.Object!.ToJsonString());
        }
    }

    [Fact]
    public void A_single_applier_always_gets_the_fields_it_asks_for()
    {
        var random = new Random(22);
        for (var i = 0; i < 300; i++)
        {
            JsonObject? tree = null;
            for (var step = 0; step < 4; step++)
            {
                var config = Fitting(random);
                var outcome = Apply(tree, config, A, minutes: step);
                Assert.Empty(outcome.Conflicts);
                tree = outcome.Object!;
                // Its fields are there, and no other: what it no longer applies has gone.
                Assert.Equal(TypedTree.Fields(config, Shape.Deployment).ToString(), TypedTree.Fields(ManagedFields.Bare(tree), Shape.Deployment).ToString());
            }
        }
    }

    [Fact]
    public void Managers_of_disjoint_fields_never_conflict_and_both_keep_theirs()
    {
        var random = new Random(23);
        for (var i = 0; i < 300; i++)
        {
            JsonObject? tree = null;
            for (var step = 0; step < 6; step++)
            {
                var even = step % 2 == 0;
                var config = Half(Fitting(random), even);
                var outcome = Apply(tree, config, even ? A : B, minutes: step);
                Assert.Empty(outcome.Conflicts);
                tree = outcome.Object!;
            }
            foreach (var entry in ManagedFields.Read(tree))
                Assert.True(entry.Fields.Difference(Existing(tree!)).IsEmpty, entry.Manager);
        }

        // One manager has the containers and labels with even names, the other the odd ones; scalars belong to the first.
        static JsonObject Half(JsonObject config, bool even)
        {
            var half = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject() } };
            foreach (var (name, value) in config["metadata"]?["labels"] as JsonObject ?? [])
                if (name[^1] % 2 == 0 == even)
                    half["metadata"]!["labels"]![name] = value!.DeepClone();
            var containers = new JsonArray([.. (config["spec"]?["template"]?["spec"]?["containers"] as JsonArray ?? []).Where(c => c!["name"]!.GetValue<string>()[^1] % 2 == 0 == even).Select(c => c!.DeepClone())]);
            half["spec"] = new JsonObject { ["template"] = new JsonObject { ["spec"] = new JsonObject { ["containers"] = containers } } };
            if (even && config["spec"]?["replicas"] is { } replicas)
                half["spec"]!["replicas"] = replicas.DeepClone();
            return half;
        }
    }

    [Fact]
    public void After_any_writes_the_owned_fields_exist_and_the_last_writer_owns_its_changes()
    {
        var random = new Random(24);
        for (var i = 0; i < 200; i++)
        {
            JsonObject? tree = null;
            for (var step = 0; step < 6; step++)
            {
                var next = Fitting(random);
                if (random.Next(2) == 0)
                    tree = Apply(tree, next, random.Next(2) == 0 ? A : B, force: true, step).Object!;
                else
                {
                    ManagedFields.Update(tree, next, Shape.Deployment, new FieldManager("u" + random.Next(3), "apps/v1", HasStatus: true), Now.AddMinutes(step));
                    tree = next;
                }
                var all = Existing(tree);
                foreach (var entry in ManagedFields.Read(tree))
                {
                    Assert.True(entry.Fields.Difference(all).IsEmpty, $"{entry} owns {entry.Fields.Difference(all)} of\n{tree.ToJsonString()}");
                    Assert.False(entry.Fields.IsEmpty);
                }
            }
        }
    }

    [Fact]
    public void Three_megabytes_are_applied_in_bounded_memory()
    {
        var labels = new JsonObject();
        for (var i = 0; i < 60_000; i++)
            labels[$"label-number-{i}"] = "some value of a label";
        var config = new JsonObject { ["metadata"] = new JsonObject { ["name"] = "x", ["labels"] = labels } };
        var tree = Apply(null, config, A).Object!;
        Assert.False(Apply(tree, config, A).Changed);
        labels["label-number-7"] = "other";
        Assert.Single(Apply(tree, config, B).Conflicts);
    }
}
