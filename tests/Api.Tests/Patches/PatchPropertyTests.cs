using System.Text.Json.Nodes;
using Weft.Api.Patches;
using Weft.Api.Schemas;
using Weft.Api.Tests.Trees;

namespace Weft.Api.Tests.Patches;

public sealed class PatchPropertyTests
{
    [Fact]
    public void The_difference_as_a_merge_patch_leads_from_one_to_the_other()
    {
        var random = new Random(11);
        for (var i = 0; i < 1000; i++)
        {
            var from = RandomTree.Object(random, 4, withNulls: false);
            var to = RandomTree.Object(random, 4, withNulls: false);
            var patch = MergePatch.Diff(from, to);
            var result = MergePatch.Apply(from, patch);
            Assert.True(JsonNode.DeepEquals(to, result), $"{from.ToJsonString()} + {patch.ToJsonString()} = {result!.ToJsonString()}, not {to.ToJsonString()}");
            Assert.Empty(MergePatch.Diff(to, to));
        }
    }

    [Fact]
    public void A_merge_patch_applied_twice_is_applied_once()
    {
        var random = new Random(12);
        for (var i = 0; i < 1000; i++)
        {
            var patch = RandomTree.Any(random, 4);
            var once = MergePatch.Apply(RandomTree.Any(random, 4), patch);
            Assert.True(JsonNode.DeepEquals(once, MergePatch.Apply(once, patch)));
        }
    }

    [Fact]
    public void A_strategic_patch_applied_twice_is_applied_once()
    {
        var random = new Random(13);
        for (var i = 0; i < 500; i++)
        {
            var current = (JsonObject)RandomTree.Fitting(random, Shape.Deployment);
            var patch = (JsonObject)RandomTree.Fitting(random, Shape.Deployment);
            var once = StrategicMergePatch.Apply(current, patch, Shape.Deployment);
            var twice = StrategicMergePatch.Apply(once, patch, Shape.Deployment);
            Assert.Equal(once.ToJsonString(), twice.ToJsonString());
        }
    }

    [Fact]
    public void An_empty_strategic_patch_changes_nothing_and_a_patch_of_nothing_is_itself()
    {
        var random = new Random(14);
        for (var i = 0; i < 300; i++)
        {
            var tree = (JsonObject)RandomTree.Fitting(random, Shape.Deployment);
            Assert.Equal(tree.ToJsonString(), StrategicMergePatch.Apply(tree, [], Shape.Deployment).ToJsonString());
            Assert.Equal(tree.ToJsonString(), StrategicMergePatch.Apply([], tree, Shape.Deployment).ToJsonString());
            Assert.True(JsonNode.DeepEquals(tree, StrategicMergePatch.Apply(tree, tree, Shape.Deployment)));
        }
    }

    // Random directives in random places: an object or a PatchException, nothing else.
    [Fact]
    public void A_strange_strategic_patch_is_refused_or_applied()
    {
        var random = new Random(15);
        string[] directives = ["$patch", "$retainKeys", "$setElementOrder/containers", "$deleteFromPrimitiveList/finalizers", "$setElementOrder/volumes", "$setElementOrder/finalizers"];
        JsonNode?[] values = ["delete", "replace", "merge", new JsonArray("a"), new JsonArray(new JsonObject { ["name"] = "v1" }), null, 1, new JsonObject()];
        for (var i = 0; i < 2000; i++)
        {
            var current = (JsonObject)RandomTree.Fitting(random, Shape.Deployment);
            var patch = (JsonObject)RandomTree.Fitting(random, Shape.Deployment);
            Scatter(patch);
            try
            {
                Assert.NotNull(StrategicMergePatch.Apply(current, patch, Shape.Deployment));
            }
            catch (PatchException e)
            {
                Assert.Equal(PatchFailure.Malformed, e.Failure);
            }
        }

        void Scatter(JsonNode? node)
        {
            if (node is JsonObject members)
            {
                foreach (var (_, value) in members.ToList())
                    Scatter(value);
                if (random.Next(6) == 0)
                    members[directives[random.Next(directives.Length)]] = values[random.Next(values.Length)]?.DeepClone();
            }
            else if (node is JsonArray list)
            {
                foreach (var item in list)
                    Scatter(item);
            }
        }
    }

    [Fact]
    public void Random_json_patches_are_refused_or_applied_and_leave_the_object_alone()
    {
        var random = new Random(16);
        string[] ops = ["add", "remove", "replace", "move", "copy", "test"];
        for (var i = 0; i < 3000; i++)
        {
            var tree = RandomTree.Object(random, 3);
            var before = tree.ToJsonString();
            var patch = new JsonArray();
            for (var n = random.Next(5); n >= 0; n--)
                patch.Add(new JsonObject { ["op"] = ops[random.Next(ops.Length)], ["path"] = Path(), ["from"] = Path(), ["value"] = RandomTree.Any(random, 2) });
            try
            {
                JsonPatch.Apply(tree, patch);
            }
            catch (PatchException e)
            {
                Assert.NotEmpty(e.Message);
            }
            Assert.Equal(before, tree.ToJsonString());
        }

        string Path() => string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(3) switch { 0 => "/" + random.Next(3), 1 => "/-", _ => "/k" + random.Next(6) }));
    }
}
