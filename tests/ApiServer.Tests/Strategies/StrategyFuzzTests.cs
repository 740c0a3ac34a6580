using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Registry;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Strategies;

/// <summary>A client can send any JSON: errors are values, never exceptions.</summary>
public sealed class StrategyFuzzTests
{
    private const int Rounds = 400;
    private static readonly string[] Odd = ["null", "{}", "[]", "0", "-1", "1.5", "true", "\"\"", "\"x\"", "\"-1\"", "[null]", "[[]]", "[{}]", "{\"a\":null}", "99999999999999999999", "\"1e99\"", "\"/../\""];
    private static readonly string[] Subresources = ["", "status", "scale", "binding", "ephemeralcontainers", "finalize"];

    public static TheoryData<string> Kinds => StrategyValidationTests.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Nothing_that_a_client_sends_makes_a_strategy_throw(string kind)
    {
        var (resource, good, random) = (StrategyCases.Kind(kind).Resource, StrategyCases.Good[kind], Seeded.Random(kind.Length));
        var old = StrategyCases.Kind(kind).Create(good);
        for (var round = 0; round < Rounds; round++)
        {
            var tree = (round % 2 == 0 ? good : old).DeepClone().AsObject();
            for (var change = random.Next(1, 4); change > 0; change--)
                Damage(tree, random);
            Write(resource, tree, old, Subresources[random.Next(Subresources.Length)]);
        }
    }

    private static void Write(ResourceInfo resource, JsonObject tree, JsonObject old, string subresource)
    {
        var context = new StrategyContext(new UserInfo("fuzz", []), subresource, "default", DateTimeOffset.UnixEpoch);
        var text = tree.ToJsonString();
        try
        {
            Pruner.Prune(tree, resource.Schema);
            Pruner.DropNulls(tree, resource.Schema);
            Defaulter.Apply(tree, resource.Schema);
            resource.Strategy.Default(tree);
            var updated = tree.DeepClone().AsObject();
            resource.Strategy.PrepareForCreate(tree, context);
            resource.Strategy.PrepareForUpdate(updated, old, context);
            foreach (var (candidate, before) in ((JsonObject, JsonObject?)[])[(tree, null), (updated, old)])
            {
                if (StructuralValidator.Validate(candidate, resource.Schema, before).Count > 0)
                    continue;
                Assert.All(resource.Strategy.Validate(candidate, before, context), error => Assert.NotEmpty(error.ToString()));
                Assert.All(resource.Strategy.Warnings(candidate, before), Assert.NotEmpty);
                Assert.All(resource.Strategy.SelectableFields.Values, field => Assert.NotNull(field(candidate)));
                resource.Strategy.GracePeriodSeconds(candidate, null);
            }
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{subresource} {text}", e);
        }
    }

    private static void Damage(JsonObject tree, Random random)
    {
        JsonNode at = tree;
        while (true)
        {
            var (names, count) = at is JsonObject map ? (map.Select(member => member.Key).ToList(), map.Count) : ([], ((JsonArray)at).Count);
            if (count == 0)
                return;
            var pick = random.Next(count);
            var child = at is JsonObject ? at[names[pick]] : at[pick];
            if (child is JsonObject or JsonArray && random.Next(4) > 0)
            {
                at = child;
                continue;
            }
            var odd = JsonNode.Parse(Odd[random.Next(Odd.Length)]);
            if (at is JsonObject parent)
                parent[names[pick]] = odd;
            else
                ((JsonArray)at)[pick] = odd;
            return;
        }
    }
}
