using System.Text.Json.Nodes;
using Weft.Api.Cel;
using Weft.Api.Schemas;

namespace Weft.Api.Tests.Cel;

/// <summary>Nothing is made or looked at that has not been paid for: each of these would take minutes, gigabytes or the stack of the process.</summary>
public sealed class CostTests
{
    private static readonly Dictionary<string, CelType> Variables = new() { ["data"] = CelType.Dyn };

    private static CelOutcome Run(string text, JsonNode? data, long budget = CelLimits.PerExpression)
    {
        var (program, errors) = CelProgram.Compile(text, Variables);
        Assert.True(program is not null, string.Join("; ", errors));
        return program.Evaluate(budget, ("data", CelInput.Of(data)));
    }

    private static void Stops(string text, JsonNode? data, long budget = CelLimits.PerExpression) => Assert.Throws<CelBudgetException>(() => Run(text, data, budget));

    [Theory]
    [InlineData("!-")]
    [InlineData("-!")]
    [InlineData("- ! ")]
    public void Changing_signs_are_levels(string signs)
    {
        var text = string.Concat(Enumerable.Repeat(signs, CelLimits.MaxLength / signs.Length - 1)) + "1";
        Assert.Contains("recursion limit", CelTest.Compile(text).Errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_of_one_sign_are_one_level() => CelTest.Holds(new string('!', 10_000) + "true && " + new string('-', 10_000) + "1 == 1");

    [Fact]
    public void Replacements_are_paid_for_before_they_are_made()
    {
        JsonNode Data(int times, int length) => new JsonObject { ["t"] = string.Concat(Enumerable.Repeat("{x}", times)), ["v"] = new string('v', length) };
        Stops("data.t.replace('{x}', data.v) == ''", Data(100_000, 100_000));
        Stops("data.t.replace('', data.v) == ''", Data(100_000, 100_000));
        var data = Data(100_000, 1000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Stops("data.t.replace('{x}', data.v) == ''", data, 100_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000_000);
        Assert.True(Run("data.t.replace('{x}', data.v).size() == 1000", Data(10, 100)).IsTrue);
    }

    [Theory]
    [InlineData("[1,2,3,4,5,6,7,8,9,0].all(x, data.s.split('').size() > 0)", 20_000)]
    [InlineData("[1,2,3,4,5,6,7,8,9,0].all(x, data.s.split('a').size() > 0)", 20_000)]
    [InlineData("[1,2,3,4,5,6,7,8,9,0].all(x, data.s.findAll('a').size() > 0)", 20_000)]
    [InlineData("data.s.contains(data.s + 'b')", 4_000_000)]
    [InlineData("data.s.indexOf(data.s) == 0", 100_000)]
    [InlineData("data.s.lastIndexOf(data.s) == 0", 100_000)]
    [InlineData("data.s.split(data.s).size() == 2", 100_000)]
    [InlineData("data.s.replace(data.s, '') == ''", 100_000)]
    [InlineData("[1,2,3,4,5,6,7,8,9,0].all(x, !isIP(data.s))", 10_000)]
    [InlineData("[1,2,3,4,5,6,7,8,9,0].all(x, !isQuantity(data.s))", 10_000)]
    [InlineData("[1,2,3,4,5,6,7,8,9,0].all(x, !(data.s in {'a': 1}))", 10_000)]
    public void Long_texts_cost_by_their_length(string expression, long budget) =>
        Stops(expression, new JsonObject { ["s"] = new string('a', 20_000) }, budget);

    [Theory]
    [InlineData("data.items.exists(x, x == data.config)")]
    [InlineData("data.items.exists(x, [x] == [data.config])")]
    [InlineData("data.config in data.configs")]
    [InlineData("data.configs.indexOf(data.config) == -1")]
    [InlineData("sets.contains(data.configs, [data.config])")]
    public void Comparing_costs_what_is_compared(string expression)
    {
        JsonNode Long(int last) => new JsonArray([.. Enumerable.Range(0, 500).Select(i => (JsonNode)(i == 499 ? last : i))]);
        var data = new JsonObject
        {
            ["config"] = Long(-1),
            ["items"] = new JsonArray([.. Enumerable.Range(0, 200).Select(Long)]),
            ["configs"] = new JsonArray([.. Enumerable.Range(0, 200).Select(Long)]),
        };
        Stops(expression, data, 90_000);
    }

    [Fact]
    public void What_differs_at_once_is_compared_for_little()
    {
        // The size of neither side counts when a look at the first item tells them apart.
        var data = new JsonObject
        {
            ["a"] = new JsonArray([.. Enumerable.Range(0, 2000).Select(i => (JsonNode)i)]),
            ["b"] = new JsonArray([.. Enumerable.Range(1, 2000).Select(i => (JsonNode)i)]),
            ["n"] = new JsonArray([.. Enumerable.Range(0, 2000).Select(i => (JsonNode)i)]),
        };
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(Run("data.a != data.b && !data.n.exists(x, x == data.a)", data).IsTrue);
        // A look at an item takes memory: looking at all 2000 of them 2000 times would take hundreds of megabytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000_000);
    }

    [Theory]
    [InlineData("RANGE == RANGE")]
    [InlineData("RANGE in [RANGE]")]
    [InlineData("'%s'.format([RANGE]) == ''")]
    [InlineData("RANGE.isSorted()")]
    [InlineData("RANGE.min() == 1")]
    public void A_value_may_be_larger_than_its_memory(string expression)
    {
        // Sixty doublings of a list of the same lists.
        var range = "[[1]]" + string.Concat(Enumerable.Repeat(".map(a, [a, a])", 60));
        Stops(expression.Replace("RANGE", $"dyn({range})", StringComparison.Ordinal), null);
    }

    [Theory]
    [InlineData("[BRACKETSaENDS]")]
    [InlineData("OPTIONSaCLOSES")]
    public void A_value_may_be_deeper_than_its_expression(string body)
    {
        body = body.Replace("BRACKETS", new string('[', 100), StringComparison.Ordinal).Replace("ENDS", new string(']', 100), StringComparison.Ordinal)
            .Replace("OPTIONS", string.Concat(Enumerable.Repeat("optional.of(", 100)), StringComparison.Ordinal).Replace("CLOSES", new string(')', 100), StringComparison.Ordinal);
        var deep = "[1]" + string.Concat(Enumerable.Repeat($".map(a, {body})", body.Length > 500 ? 30 : 100));
        Stops($"dyn({deep}) == dyn({deep})", null);
        Stops($"{deep} == {deep}", null);
        Assert.NotNull(Run($"{{'a': 1}}[dyn({deep})] == 1", null).Error);
    }

    [Fact]
    public void Bytes_of_a_tree_are_paid_for_at_each_look()
    {
        var schema = CrdSchema.FromCrd((JsonObject)JsonNode.Parse("""{"type":"object","properties":{"raw":{"type":"string","format":"byte"},"l":{"type":"array","items":{"type":"string","format":"byte"}}}}""")!);
        var raw = Convert.ToBase64String(new byte[100_000]);
        var self = CelInput.Of(new JsonObject { ["raw"] = raw, ["l"] = new JsonArray(raw) }, schema);
        foreach (var text in (string[])["[1,2,3,4].map(x, self.raw).size() == 4", "[1,2,3,4].map(x, self.l + self.l).size() == 4", "[1,2,3,4].all(x, self.l.all(y, true))"])
        {
            var (program, errors) = CelProgram.Compile(text, new Dictionary<string, CelType> { ["self"] = CelType.Of(schema)! });
            Assert.True(program is not null, string.Join("; ", errors));
            Assert.Throws<CelBudgetException>(() => program.Evaluate(20_000, ("self", self)));
        }
    }
}
