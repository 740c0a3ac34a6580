using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Cel;
using Weft.Api.Cel.Library;

namespace Weft.Api.Tests.Cel;

/// <summary>Whatever functions are given, they give a value or the evaluator's failure, or stop at the budget: nothing else is thrown.</summary>
public sealed class FailureTests
{
    // The edges of each type.
    private static readonly Dictionary<CelKind, object?[]> Edges = new()
    {
        [CelKind.Null] = [null],
        [CelKind.Bool] = [true, false],
        [CelKind.Int] = [0L, -1L, 1L, long.MinValue, long.MaxValue, 1L << 31, 253402300799L],
        [CelKind.Uint] = [0UL, 1UL, ulong.MaxValue],
        [CelKind.Double] = [0d, -0.5, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, double.Epsilon, 9.223372036854775e18],
        [CelKind.String] = ["", "a", "é😀", "\ud800", "%s%d%.100f%x", "%.99999999999d%", "(", "/", "//", "http://[", "a://@:]", "::1/999", "+14:00", "-14:00", "Europe/Berlin", "../zero", "1e999999999",
            "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9223372036854775807ns", "-999999999h", "a.b/c", new string('-', 300), "YQ=="],
        [CelKind.Bytes] = [Array.Empty<byte>(), new byte[] { 0xff }, Encoding.UTF8.GetBytes("abc")],
        [CelKind.Timestamp] = [DateTimeOffset.MinValue, DateTimeOffset.MaxValue, DateTimeOffset.UnixEpoch],
        [CelKind.Duration] = [TimeSpan.MinValue, TimeSpan.MaxValue, TimeSpan.Zero],
        [CelKind.List] = [CelList.Of([]), CelList.Of([1L, "a", null]), CelList.Of(["a", ""]), CelList.Of([TimeSpan.MinValue, TimeSpan.MinValue]), CelList.Of([CelList.Of([]), CelOptional.None])],
        [CelKind.Map] = [CelMap.Of([]), CelMap.Of([new("a", 1L), new(true, null), new(ulong.MaxValue, double.NaN)])],
        [CelKind.Optional] = [CelOptional.None, CelOptional.Of(null), CelOptional.Of(CelList.Of([1L])), CelOptional.Of(CelOptional.Of("a"))],
        [CelKind.Type] = [CelType.Int, CelType.List(CelType.Dyn)],
    };

    [Fact]
    public void Every_function_takes_the_edges_of_its_types()
    {
        var run = new CelRun(long.MaxValue, new Dictionary<string, Weft.Api.Trees.PatternMatcher>());
        // What only functions make: first those of one text, then everything with what these gave.
        var pool = Edges.ToDictionary(entry => entry.Key, entry => entry.Value.ToList());
        foreach (var form in Functions.Every.Where(form => form.Result.Kind is CelKind.Url or CelKind.Ip or CelKind.Cidr or CelKind.Quantity or CelKind.Format && form.Parameters.All(part => part.Kind == CelKind.String)))
        {
            object?[][] calls = form.Parameters.Length == 0 ? [[]] : [.. ((string[])["http://u@h:1/p?q=%zz&=&a", "::1", "10.0.0.1", "::/0", "10.0.0.0/32", "9223372036854775807", "1n", "-9E"]).Select(text => new object?[] { text })];
            var made = calls.Select(call => form.Body(run, call)).Where(value => value is not CelFailure).ToList();
            pool[form.Result.Kind] = [.. pool.GetValueOrDefault(form.Result.Kind, []), .. made];
        }
        var every = pool.Values.SelectMany(values => values.Take(4)).ToList();
        var calledWith = 0;
        foreach (var form in Functions.Every)
        {
            var choices = form.Parameters.Select(part => pool.GetValueOrDefault(part.Kind == CelKind.Object ? CelKind.Map : part.Kind, every)).ToArray();
            foreach (var values in Products(choices))
            {
                try
                {
                    form.Body(run, values);
                    calledWith++;
                }
                catch (Exception e) when (e is not CelBudgetException)
                {
                    Assert.Fail($"{form.Name}({string.Join(", ", values.Select(value => value is string text ? $"'{text}'" : value ?? "null"))}): {e}");
                }
            }
        }
        Assert.True(calledWith > 5000, $"{calledWith} calls");
    }

    private static IEnumerable<object?[]> Products(IReadOnlyList<object?>[] choices)
    {
        var at = new int[choices.Length];
        while (true)
        {
            yield return [.. choices.Select((choice, i) => choice[at[i]])];
            var place = 0;
            while (place < at.Length && ++at[place] == choices[place].Count)
                at[place++] = 0;
            if (place == at.Length)
                yield break;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Made_up_expressions_end_in_a_value_or_a_failure(int seed)
    {
        var random = new Random(seed);
        var (compiled, evaluated) = (0, 0);
        for (var i = 0; i < 1500; i++)
        {
            var text = Expression(random, 4);
            if (CelTest.Compile(text).Program is not { } program)
                continue;
            compiled++;
            try
            {
                program.Evaluate(20_000, ("self", CelInput.Of(JsonNode.Parse("""{"n":1,"s":"a","maybe":null,"when":"9999-12-31T23:59:59Z","span":"9223372036s","raw":"/w==","list":[1],"map":{"a":"b"},"any":"x"}"""), CelTest.Schema)),
                    ("data", CelInput.Of(JsonNode.Parse("""{"a":[1,"x",null,{"b":1.5}],"n":-9223372036854775808}"""))));
                evaluated++;
            }
            catch (CelBudgetException)
            {
                // The one way in which an evaluation may end early.
            }
            catch (Exception e)
            {
                Assert.Fail($"{text}: {e}");
            }
        }
        Assert.True(compiled > 100 && evaluated > 50, $"{compiled} compiled, {evaluated} evaluated");
    }

    private static readonly string[] Leaves =
    [
        "1", "-9223372036854775808", "0", "2u", "1.5", "0.0", "'a'", "'%s'", "'-14:00'", "''", "b'\\xff'", "true", "null", "[]", "[1, 2]", "['a', 'b']", "{'a': 1}", "data", "data.a", "data.n", "self.n", "self.s",
        "self.maybe", "self.when", "self.span", "self.raw", "self.list", "self.map", "self.any", "timestamp('0001-01-01T00:00:00Z')", "duration('-9223372036s')", "optional.none()", "type(1)", "self.missing",
    ];

    private static readonly string[] Names = [.. Functions.Every.Select(form => form.Name).Where(name => char.IsLetter(name[0])).Distinct()];

    private static string Expression(Random random, int depth)
    {
        string Next() => Expression(random, depth - 1);
        string Of(params string[] texts) => texts[random.Next(texts.Length)];
        if (depth == 0)
            return Of(Leaves);
        return random.Next(9) switch
        {
            0 => $"({Next()} {Of("+", "-", "*", "/", "%", "==", "!=", "<", ">=", "in", "&&", "||")} {Next()})",
            1 => $"{Of("!", "-", "-!")}({Next()})",
            2 => $"dyn({Next()}).{Of("all", "exists", "map", "filter", "exists_one")}(x, {Of("x", "true", Next())})",
            3 => $"{Of(Names)}({Next()})",
            4 => $"dyn({Next()}).{Of(Names)}({string.Join(", ", Enumerable.Range(0, random.Next(3)).Select(_ => $"dyn({Next()})"))})",
            5 => $"({Next()} ? {Next()} : {Next()})",
            6 => $"dyn({Next()})[{Of("", "?")}{Next()}]",
            7 => $"[{Next()}, dyn({Next()})]",
            _ => Of(Leaves),
        };
    }
}
