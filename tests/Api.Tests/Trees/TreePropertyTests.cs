using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Api.Tests.Trees;

public sealed class TreePropertyTests
{
    [Fact]
    public void Json_reads_what_it_writes()
    {
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            var tree = RandomTree.Any(random, 5);
            var utf8 = JsonTree.WriteUtf8(tree);
            var parsed = JsonTree.Parse(utf8);
            Assert.Empty(parsed.Duplicates);
            Assert.True(JsonNode.DeepEquals(tree, parsed.Root));
            Assert.Equal(utf8, JsonTree.WriteUtf8(parsed.Root));
        }
    }

    [Fact]
    public void Yaml_reads_what_it_writes()
    {
        var random = new Random(2);
        for (var i = 0; i < 2000; i++)
        {
            var tree = RandomTree.Any(random, 5);
            var yaml = YamlTree.Write(tree);
            var parsed = YamlTree.Parse(yaml).Root;
            Assert.True(JsonNode.DeepEquals(tree, parsed), $"{Encoding.UTF8.GetString(JsonTree.WriteUtf8(tree))}\n became\n{yaml}\n which is\n{Encoding.UTF8.GetString(JsonTree.WriteUtf8(parsed))}");
        }
    }

    [Fact]
    public void Json_is_read_alike_by_the_yaml_reader()
    {
        var random = new Random(3);
        for (var i = 0; i < 300; i++)
        {
            var tree = RandomTree.Any(random, 4);
            var json = tree?.ToJsonString() ?? "null";
            Assert.True(JsonNode.DeepEquals(tree, YamlTree.Parse(json).Root), json);
        }
    }

    [Fact]
    public void A_fitting_tree_is_valid_and_loses_nothing_by_pruning()
    {
        var random = new Random(4);
        for (var i = 0; i < 300; i++)
        {
            var tree = (JsonObject)RandomTree.Fitting(random, Shape.Deployment);
            Assert.Empty(StructuralValidator.Validate(tree, Shape.Deployment, tree.DeepClone()));
            var before = tree.ToJsonString();
            Assert.Empty(Pruner.Prune(tree, Shape.Deployment));
            Pruner.DropNulls(tree, Shape.Deployment);
            Assert.Equal(before, tree.ToJsonString());
            Defaulter.Apply(tree, Shape.Deployment);
            Assert.False(Defaulter.Apply(tree, Shape.Deployment));
        }
    }

    // Whatever the bytes, the answer is a tree or a TreeException.
    [Fact]
    public void Damaged_text_never_does_worse_than_an_error()
    {
        var random = new Random(5);
        for (var i = 0; i < 2000; i++)
        {
            var tree = RandomTree.Any(random, 4);
            var text = random.Next(2) == 0 ? JsonTree.WriteUtf8(tree) : Encoding.UTF8.GetBytes(YamlTree.Write(tree));
            for (var n = random.Next(4); n >= 0 && text.Length > 0; n--)
                text[random.Next(text.Length)] = (byte)random.Next(256);
            Try(() => JsonTree.Parse(text));
            Try(() => YamlTree.ParseAll(text));
        }

        static void Try(Action parse)
        {
            try
            {
                parse();
            }
            catch (TreeException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }
}
