using Weft.Api.Cel;
using Weft.Testing;

namespace Weft.Api.Tests.Cel;

/// <summary>The language itself: literals, operators, macros, types, and what goes wrong where.</summary>
public sealed class LanguageTests
{
    [Theory]
    [InlineData("1 + 2 * 3 == 7")]
    [InlineData("(1 + 2) * 3 == 9")]
    [InlineData("10 - 4 - 3 == 3")]
    [InlineData("7 / 2 == 3 && -7 / 2 == -3 && 7 % -3 == 1 && -7 % 3 == -1")]
    [InlineData("7.0 / 2.0 == 3.5")]
    [InlineData("0xff == 255 && 0x10u == 16u")]
    [InlineData("1e3 == 1000.0 && .5 == 0.5 && 1.5e-1 == 0.15")]
    [InlineData("-9223372036854775808 < 9223372036854775807")]
    [InlineData("!!true && !false && --1 == 1 && -(-1) == 1")]
    [InlineData("'a' + \"b\" == 'ab'")]
    [InlineData("r'\\n' == '\\\\n' && size('\\n') == 1")]
    [InlineData("'\\x41\\u00e9\\U0001F600\\101' == 'Aé😀A'")]
    [InlineData("'''a\n'b'\n''' == \"a\\n'b'\\n\"")]
    [InlineData("b'\\xff\\x00' == b'\\377\\000' && size(b'é') == 2")]
    [InlineData("b'a' + b'b' == b'ab'")]
    [InlineData("[1, 2] + [3] == [1, 2, 3]")]
    [InlineData("[1, 2,] == [1, 2] && {'a': 1,} == {'a': 1}")]
    [InlineData("{'a': 1, 'b': 2}['b'] == 2 && [4, 5][1] == 5")]
    [InlineData("{'a': {'b': 3}}.a.b == 3")]
    [InlineData("2 in [1, 2] && !(3 in [1, 2]) && 'a' in {'a': 1} && !('b' in {'a': 1})")]
    [InlineData("(false ? 1 : false ? 2 : 3) == 3 && (true ? (false ? false : true) : false)")]
    [InlineData("1 == 1 // a comment\n && true")]
    [InlineData("dyn(1) == 1.0 && dyn(1u) == 1 && dyn(9007199254740993) != 9007199254740992.0")]
    [InlineData("1 < 1.5 && 2u > 1 && 1.0 <= 1u")]
    [InlineData("dyn('1') != 1 && dyn([1]) != {'a': 1} && null == null && dyn(1) != null")]
    [InlineData("'a' < 'b' && 'B' < 'a' && b'a' < b'b' && false < true")]
    [InlineData("'\\uffff' < '\\U00010000'")]
    [InlineData("type(1) == int && type('a') == string && type([]) == list && type(type(1)) == type && type(null) == null_type")]
    [InlineData("type(timestamp('2024-01-01T00:00:00Z')) == google.protobuf.Timestamp")]
    public void Literals_and_operators(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("[1, 2, 3].all(x, x > 0) && !([1, -1].all(x, x > 0)) && [].all(x, false)")]
    [InlineData("[1, 2].exists(x, x == 2) && ![].exists(x, true)")]
    [InlineData("[1, 2, 2].exists_one(x, x == 1) && ![1, 2, 2].exists_one(x, x == 2) && [1].existsOne(x, true)")]
    [InlineData("[1, 2, 3].map(x, x * 2) == [2, 4, 6] && [1, 2, 3].map(x, x > 1, x * 2) == [4, 6]")]
    [InlineData("[1, 2, 3].filter(x, x % 2 == 1) == [1, 3]")]
    [InlineData("{'a': 1, 'b': 2}.all(k, k in ['a', 'b']) && {'a': 1}.map(k, k) == ['a'] && {'a': 1, 'b': 2}.filter(k, k == 'b') == ['b']")]
    [InlineData("[5, 6].all(i, v, v == i + 5) && {'a': 1}.exists(k, v, k == 'a' && v == 1)")]
    [InlineData("[5, 6].transformList(i, v, i * v) == [0, 6] && [5, 6].transformList(i, v, i == 1, v) == [6]")]
    [InlineData("{'a': 1}.transformMap(k, v, v + 1) == {'a': 2}")]
    [InlineData("[[1, 2], [3]].all(x, x.all(y, y > 0))")]
    [InlineData("[1].map(x, [2].map(x, x))[0][0] == 2")]
    [InlineData("[0, 2].exists(x, 4 / x == 2) && !([0, 2].all(x, 4 / x == 1))")]
    [InlineData("has({'a': 1}.a) && !has({'a': 1}.b)")]
    [InlineData("(1 / 0 == 1 || true) && !(1 / 0 == 1 && false) && (true || 1 / 0 == 1)")]
    public void Macros_and_what_makes_a_failure_irrelevant(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("self.n == 3 && self.d == 2.0 && self.s == 'hello' && self.b")]
    [InlineData("self.when == timestamp('2024-05-06T07:08:09.5Z') && self.when.getMilliseconds() == 500")]
    [InlineData("self.span == duration('90m') && self.raw == b'abc'")]
    [InlineData("self.any == 5 && type(self.any) == int")]
    [InlineData("self.list == [3, 1, 2] && self.list[0] == 3 && size(self.list) == 3")]
    [InlineData("self.words == ['b', 'a'] && self.words + ['b', 'c'] == ['a', 'b', 'c']")]
    [InlineData("self.map['k'] == 'v' && self.map.k == 'v' && 'x-y' in self.map && self.map == {'x-y': 'z', 'k': 'v'}")]
    [InlineData("self.__namespace__ == 'ns' && self.dash__dash__ed == 1 && self.a__underscores__b == 2 && self.x__dot__y__slash__z == 4")]
    [InlineData("self.items.map(i, i.k) == ['one', 'two'] && self.items.exists(i, i.v == 2)")]
    [InlineData("self.items == [self.items[1], self.items[0]]")]
    [InlineData("!has(self.maybe) && has(self.inner) && !has(self.inner.deep)")]
    [InlineData("data.n == 3 && data.s.startsWith('he') && data.items[1].v == 2 && !has(data.none) && data.namespace == 'ns'")]
    public void Values_of_a_schema_have_its_types(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("optional.of(1).hasValue() && !optional.none().hasValue() && optional.of(1).value() == 1")]
    [InlineData("optional.none().orValue(2) == 2 && optional.of(1).orValue(2) == 1 && optional.none().or(optional.of(3)).value() == 3")]
    [InlineData("self.?s.orValue('x') == 'hello' && self.inner.?deep.orValue('x') == 'x' && self.?inner.?deep.orValue('y') == 'y'")]
    [InlineData("self.?inner.deep.orValue('z') == 'z'")]
    [InlineData("self.map[?'k'].orValue('') == 'v' && self.map[?'none'].orValue('d') == 'd' && self.list[?9].orValue(0) == 0")]
    [InlineData("optional.ofNonZeroValue('').orValue('e') == 'e' && optional.ofNonZeroValue('a').hasValue()")]
    [InlineData("[1, ?optional.none(), ?optional.of(2)] == [1, 2] && {?'a': optional.none(), 'b': 1} == {'b': 1}")]
    [InlineData("[?optional.of(2), 1] == [2, 1]")]
    [InlineData("optional.of(2).optMap(x, x * 2).value() == 4 && !optional.none().optMap(x, x).hasValue() && optional.of(2).optFlatMap(x, optional.of(x + 1)).value() == 3")]
    [InlineData("has(self.?inner.deep) == false")]
    public void Optionals(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("1 +", 3, "Syntax error: unexpected end of the expression")]
    [InlineData("1 + * 2", 4, "Syntax error: unexpected '*'")]
    [InlineData("'abc", 0, "Syntax error: unterminated string")]
    [InlineData("a b", 2, "Syntax error: unexpected 'b'")]
    [InlineData("1 # 2", 2, "Syntax error: token recognition error at: '#'")]
    [InlineData("self.namespace", 4, "undefined field 'namespace'")]
    [InlineData("namespace == 1", 0, "reserved identifier: namespace")]
    [InlineData("[1].all(if, true)", 8, "reserved identifier: if")]
    [InlineData("9223372036854775808", 0, "invalid int literal")]
    [InlineData("'\\q'", 1, "invalid escape sequence")]
    [InlineData("has(1)", 0, "invalid argument to has() macro")]
    [InlineData("[1].all(x.y, true)", 9, "argument must be a simple name")]
    [InlineData("self.none", 4, "undefined field 'none'")]
    [InlineData("self.free.hidden", 9, "undefined field 'hidden'")]
    [InlineData("self.s.length", 6, "type 'string' does not support field selection")]
    [InlineData("other", 0, "undeclared reference to 'other' (in container '')")]
    [InlineData("fly(1)", 0, "undeclared reference to 'fly' (in container '')")]
    [InlineData("self.s + 1", 7, "found no matching overload for '_+_' applied to '(string, int)'")]
    [InlineData("self.n == 'a'", 7, "found no matching overload for '_==_' applied to '(int, string)'")]
    [InlineData("self.n.startsWith('a')", 6, "found no matching overload for 'startsWith' applied to 'int.(string)'")]
    [InlineData("self.n ? 1 : 2", 4, "found no matching overload for '_?_:_' applied to '(int)', expected bool")]
    [InlineData("true ? 1 : 'a'", 5, "found no matching overload for '_?_:_' applied to '(bool, int, string)'")]
    [InlineData("self.s.all(c, true)", 4, "expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)")]
    [InlineData("self.s.matches('(')", 15, "invalid regular expression: ")]
    [InlineData("1 in {'a': 2}", 2, "found no matching overload for '@in' applied to '(int, map(string, int))'")]
    public void Errors_have_their_place(string expression, int position, string message)
    {
        var (program, errors) = CelTest.Compile(expression);
        Assert.Null(program);
        Assert.Equal(position, errors[0].Position);
        Assert.StartsWith(message, errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_shows_its_line()
    {
        const string Text = "self.n > 0 &&\n  self.none";
        Assert.Equal("ERROR: <input>:2:7: undefined field 'none'\n |   self.none\n | ......^", CelTest.Compile(Text).Errors[0].In(Text));
    }

    [Theory]
    [InlineData("1 / 0 == 0", "division by zero")]
    [InlineData("1 % 0 == 0", "modulus by zero")]
    [InlineData("9223372036854775807 + 1 == 0", "integer overflow")]
    [InlineData("-(-9223372036854775808) == 0", "integer overflow")]
    [InlineData("0u - 1u == 0u", "unsigned integer overflow")]
    [InlineData("[1][1] == 0", "index out of bounds: 1")]
    [InlineData("{'a': 1}['b'] == 0", "no such key: b")]
    [InlineData("data.none == 1", "no such key: none")]
    [InlineData("self.inner.deep == ''", "no such key: deep")]
    [InlineData("dyn('a') + 1 == 2", "no such overload: +")]
    [InlineData("int('x') == 1", "type conversion error from 'x' to int")]
    [InlineData("{'a': 1, 'a': 2}.a == 1", "Failed with repeated key: a")]
    [InlineData("optional.none().value() == 1", "optional.none() dereference")]
    [InlineData("[1, 2].all(x, 1 / 0 == x)", "division by zero")]
    public void Failures_say_why(string expression, string message) => Assert.Equal(message, CelTest.Run(expression).Error);

    [Fact]
    public void An_expression_that_costs_too_much_is_stopped()
    {
        Assert.Throws<CelBudgetException>(() => CelTest.Run("[1,2,3,4,5,6,7,8,9,0].all(a, [1,2,3,4,5,6,7,8,9,0].all(b, [1,2,3,4,5,6,7,8,9,0].all(c, a + b + c >= 0)))", budget: 1000));
        // Each doubling is paid for by the length of what it makes.
        var doubling = string.Concat(Enumerable.Repeat("[", 25)) + "'aaaaaaaaaa'" + string.Concat(Enumerable.Repeat("].map(x, x + x)[0]", 25)) + " == ''";
        Assert.Throws<CelBudgetException>(() => CelTest.Run(doubling, CelLimits.PerExpression));
        // A pattern out of data is made anew for each item, and that costs more than anything else.
        Assert.Throws<CelBudgetException>(() => CelTest.Run("[1,2,3,4,5,6,7,8,9,0].all(a, [1,2,3,4,5,6,7,8,9,0].all(b, 'x'.matches('x|' + string(a * 10 + b))))"));
        CelTest.Holds("[1,2,3,4,5,6,7,8,9,0].all(a, [1,2,3,4,5,6,7,8,9,0].all(b, 'x'.matches('x|' + string(a))))");
        var left = CelTest.Run("1 + 1 == 2", 100).Left;
        Assert.InRange(left, 90, 99);
    }

    [Fact]
    public void Depth_and_length_are_bounded_and_long_chains_are_not_deep()
    {
        Assert.Contains("recursion limit", CelTest.Compile(new string('(', 5000) + "1" + new string(')', 5000)).Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("recursion limit", CelTest.Compile(string.Concat(Enumerable.Repeat("[", 3000))).Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("deeper than", CelTest.Compile("1" + string.Concat(Enumerable.Repeat(" + 1", 5000))).Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("deeper than", CelTest.Compile("data" + string.Concat(Enumerable.Repeat(".a", 5000))).Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("exceeds limit", CelTest.Compile(new string(' ', CelLimits.MaxLength + 1)).Errors[0].Message, StringComparison.Ordinal);
        CelTest.Holds("true" + string.Concat(Enumerable.Repeat(" && true", 5000)));
        CelTest.Holds(new string('!', 10_000) + "true");
        CelTest.Holds("901 == 1" + string.Concat(Enumerable.Repeat(" + 1", 900)));
    }

    [Fact]
    public void Whatever_is_thrown_at_it_gives_a_program_or_errors_and_ends()
    {
        var random = Seeded.Random(41);
        string[] parts = ["self", ".n", ".s", ".list", ".map", "data", "(", ")", "[", "]", "{", "}", ",", ":", "?", ".?", "[?", "&&", "||", "==", "<", "+", "-", "*", "/", "%", "!", "in", "1", "2u", "0x1", "1.5", "'a'", "b'c'",
            "\"", "'''", "\\", "has", "all", ".all(x, ", ".map(x, ", "x", "size(", "null", "true", "matches", ".find('a')", "optional.of(", "ip(", ".format([", "//", "\n", "é", "\ud800", "\0"];
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => parts[random.Next(parts.Length)]));
            var (program, errors) = CelTest.Compile(text);
            Assert.True(program is null == errors.Count > 0, text);
            foreach (var error in errors)
                Assert.StartsWith("ERROR: <input>:", error.In(text), StringComparison.Ordinal);
            if (program is not null)
            {
                try
                {
                    program.Evaluate(10_000, ("self", CelInput.Of(System.Text.Json.Nodes.JsonNode.Parse("""{"n":1,"s":"a","list":[1],"map":{"a":"b"}}"""), CelTest.Schema)), ("data", CelInput.Of(null)));
                }
                catch (CelBudgetException)
                {
                    // The one way in which an evaluation may end early.
                }
            }
        }
    }
}
