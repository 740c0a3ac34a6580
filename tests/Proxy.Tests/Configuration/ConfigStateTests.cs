using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Configuration;
using Weft.Testing;

namespace Weft.Proxy.Tests.Configuration;

public sealed class ConfigStateTests : IDisposable
{
    private static readonly ConfigUnit Web = UnitCodec.Service("shop", "web", new ServiceUnit { Addresses = ["10.96.1.2"] });
    private static readonly ConfigUnit Db = UnitCodec.Service("shop", "db", new ServiceUnit { Headless = true });
    private readonly TempDir _dir = new();
    private readonly List<KeyValuePair<UnitKey, object?>> _told = [];

    private ConfigState State() => new(_told.AddRange);

    [Fact]
    public void A_step_is_applied_as_a_whole_and_acknowledged()
    {
        var state = State();
        var ack = state.Apply([new Delta(9, 4, [Web], [], true), new Delta(9, 4, [Db], [new(UnitKind.Pod, "not/there")], false)]);
        Assert.Equal(4UL, ack.Version);
        Assert.Empty(ack.Rejected);
        Assert.Equal([Web.Key, Db.Key], _told.Select(change => change.Key));

        state.Apply([new Delta(9, 5, [], [Web.Key], false)]);
        Assert.Equal(new(Web.Key, null), _told[^1]);
        Assert.Equal([Db.Key], state.Units.Keys);
    }

    [Fact]
    public void A_unit_that_cannot_be_read_keeps_its_old_state_and_takes_no_other_with_it()
    {
        var state = State();
        state.Apply([new Delta(9, 1, [Web], [], false)]);
        var ack = state.Apply([new Delta(9, 2, [ConfigUnit.Create(Web.Key, "{"u8.ToArray()), Db], [], false)]);
        Assert.Equal(Web.Key, Assert.Single(ack.Rejected).Key);
        Assert.Equal(Web.Hash, state.Units[Web.Key].Hash);
        Assert.Equal(Db.Key, _told[^1].Key);
    }

    [Fact]
    public void The_file_gives_back_what_was_saved()
    {
        var state = State();
        state.Apply([new Delta(9, 4, [Web, Db, .. Enumerable.Range(0, 5000).Select(i => UnitCodec.Pod("shop", "p" + i, new PodUnit { Addresses = ["10.244.1.1"] }))], [], false)]);
        var file = new ConfigFile(_dir.File("configuration"));
        file.Save(state);

        var again = State();
        again.Apply(file.Load()!);
        Assert.Equal(state.Units.Values.OrderBy(unit => unit.Key.Name), again.Units.Values.OrderBy(unit => unit.Key.Name));
        Assert.Equal((9UL, 4UL), (again.Epoch, again.Version));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_dir.File("configuration")));
        Assert.Equal([_dir.File("configuration")], Directory.GetFiles(_dir.Path));
    }

    [Fact]
    public void Every_damage_of_the_file_is_noticed()
    {
        var state = State();
        state.Apply([new Delta(9, 4, [Web, Db], [], false)]);
        var path = _dir.File("configuration");
        var file = new ConfigFile(path);
        Assert.Null(file.Load());
        file.Save(state);
        var good = File.ReadAllBytes(path);
        for (var i = 0; i < good.Length; i++)
        {
            var bad = good.ToArray();
            bad[i] ^= 0x10;
            File.WriteAllBytes(path, bad);
            Assert.Throws<InvalidDataException>(() => file.Load());
            File.WriteAllBytes(path, good[..i]);
            Assert.Throws<InvalidDataException>(() => file.Load());
        }
    }

    public void Dispose() => _dir.Dispose();
}
