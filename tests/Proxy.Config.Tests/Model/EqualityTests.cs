using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Config.Tests.Model;

/// <summary>What did not change is kept over a change of the configuration: so equality must see each property, and nothing but values.</summary>
public sealed class EqualityTests
{
    private static IEnumerable<Type> Records => typeof(ProxyConfig).Assembly.GetTypes()
        .Where(t => t.Namespace == typeof(ProxyConfig).Namespace && t is { IsClass: true, IsAbstract: false } && t.GetMethod("<Clone>$") is not null);

    public static TheoryData<string> Types => new(Records.Select(t => t.Name));

    public static TheoryData<string, string> Properties
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var type in Records)
            {
                foreach (var property in Sample.Settable(type))
                    data.Add(type.Name, property.Name);
            }

            return data;
        }
    }

    [Fact]
    public void The_model_has_its_records() => Assert.True(Records.Count() > 50, string.Join(' ', Records.Select(t => t.Name)));

    [Theory, MemberData(nameof(Types))]
    public void What_was_made_twice_from_the_same_is_equal(string name)
    {
        var type = Records.Single(t => t.Name == name);

        var (first, second) = (Sample.Record(type, 1), Sample.Record(type, 1));

        Assert.NotSame(first, second);
        Assert.Equal(first, second);
        Assert.Equal(first.GetHashCode(), second.GetHashCode());
    }

    [Theory, MemberData(nameof(Properties))]
    public void Changing_any_property_is_a_change(string name, string property)
    {
        var type = Records.Single(t => t.Name == name);
        var (before, after) = (Sample.Record(type, 1), Sample.Record(type, 1));

        var changed = type.GetProperty(property)!;
        changed.SetValue(after, Sample.Of(changed.PropertyType, 2));

        Assert.NotEqual(before, after);
    }

    [Fact]
    public void Lists_are_equal_by_their_elements_and_order()
    {
        ValueList<string> list = ["a", "b"];

        Assert.True(list == ["a", "b"]);
        Assert.False(list == ["b", "a"]);
        Assert.False(list == ["a"]);
        Assert.True(default(ValueList<string>) == []);
        Assert.Equal("[a, b]", list.ToString());
    }

    [Fact]
    public void Maps_are_equal_whatever_the_order()
    {
        var map = new ValueMap([new("a", "1"), new("b", "2")]);

        Assert.Equal(map, new ValueMap([new("b", "2"), new("a", "1")]));
        Assert.NotEqual(map, new ValueMap([new("a", "1"), new("b", "3")]));
        Assert.NotEqual(map, new ValueMap([new("a", "1")]));
    }

    [Fact]
    public void A_selector_takes_labels_that_have_all_of_its_pairs()
    {
        var labels = new ValueMap([new("app", "web"), new("version", "v1")]);

        Assert.True(default(ValueMap).IsSubsetOf(labels));
        Assert.True(new ValueMap([new("version", "v1")]).IsSubsetOf(labels));
        Assert.False(new ValueMap([new("version", "v2")]).IsSubsetOf(labels));
        Assert.False(labels.IsSubsetOf(default));
    }

    [Fact]
    public void Keys_do_not_show_in_texts()
    {
        var certificate = new CertificateConfig { Name = "web", Key = new() { Inline = "-----BEGIN PRIVATE KEY-----" } };

        Assert.DoesNotContain("PRIVATE", certificate.ToString(), StringComparison.Ordinal);
    }
}
