using System.Collections.Immutable;
using Weft.Control.Discovery.Model;

namespace Weft.Control.Discovery.Registry;

/// <summary>One change on its way: the next state, what is to be kept of it, and whom it concerns. Used by one thread.</summary>
public sealed class RegistryDraft
{
    private readonly RegistryState _before;
    private readonly Dictionary<string, byte[]?> _writes = new(StringComparer.Ordinal);
    private readonly HashSet<string> _topics = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
    private RegistryState _state;
    private bool _restoring;

    internal RegistryDraft(RegistryState state, DateTimeOffset now)
    {
        (_before, _state, Now) = (state, state, now);
        Next = state.Index + 1;
    }

    public RegistryState State => _state;

    public DateTimeOffset Now { get; }

    /// <summary>The index that this change gets.</summary>
    public long Next { get; }

    /// <summary>That the registry runs is to be written down.</summary>
    internal bool SaysAlive { get; set; }

    internal IReadOnlyDictionary<string, byte[]?> Writes => _writes;

    internal IReadOnlySet<string> Touched => _topics;

    /// <summary>Names whose entries changed.</summary>
    internal IReadOnlySet<string> TouchedNames => _names;

    internal bool HasChanged => !ReferenceEquals(_before, _state);

    public void PutNode(NodeRecord node)
    {
        var old = _state.Nodes.GetValueOrDefault(node.Name);
        node = node with { CreateIndex = old?.CreateIndex ?? Next, ModifyIndex = Next };
        _writes[Records.Node(node.Name)] = Records.Write(node);
        SetNode(node);
        foreach (var key in old is null ? [] : InstancesOf(node.Name))
            TouchName(_state.Instances[key].Name);
    }

    /// <summary>The node with all that is on it.</summary>
    public bool RemoveNode(string name)
    {
        var any = false;
        foreach (var key in InstancesOf(name))
            any |= RemoveInstance(key);
        foreach (var check in _state.ChecksOf(new(name, "")).ToList())
            any |= RemoveCheck(check.Key);
        foreach (var session in _state.Sessions.Values.Where(session => session.Node == name).ToList())
            any |= RemoveSession(session.Id);
        if (!_state.Nodes.ContainsKey(name))
            return any;
        _state = Stamp(_state with { Nodes = _state.Nodes.Remove(name), NodesIndex = Next });
        _writes[Records.Node(name)] = null;
        _topics.Add(Topics.Nodes);
        return true;
    }

    /// <summary>Some instances of a node.</summary>
    /// <returns>Whether there are more.</returns>
    public bool RemoveSomeOf(string node)
    {
        const int Enough = 100;
        var keys = InstancesOf(node);
        foreach (var key in keys)
        {
            if (_writes.Count > Enough)
                return true;
            RemoveInstance(key);
        }

        return false;
    }

    public void PutInstance(Instance instance)
    {
        var old = _state.Instances.GetValueOrDefault(instance.Key);
        if (old is not null && old.Name != instance.Name)
            LeaveName(old);
        instance = instance with { CreateIndex = old?.CreateIndex ?? Next, ModifyIndex = Next, Since = Now, Source = NameSource.Registry };
        _writes[Records.Instance(instance.Key)] = Records.Write(instance);
        SetInstance(instance);
    }

    /// <summary>The instance with its checks.</summary>
    public bool RemoveInstance(InstanceKey key)
    {
        if (!_state.Instances.TryGetValue(key, out var instance))
            return false;
        foreach (var check in _state.ChecksOf(key).ToList())
            RemoveCheck(check.Key);
        _state = Stamp(_state with { Instances = _state.Instances.Remove(key) });
        LeaveName(instance);
        _writes[Records.Instance(key)] = null;
        return true;
    }

    public void PutCheck(Check check)
    {
        if (_state.FindCheck(check.Key) is { } old && old.Owner != check.Owner)
            RemoveCheck(check.Key);
        var before = _state.FindCheck(check.Key);
        check = check with
        {
            CreateIndex = before?.CreateIndex ?? Next, ModifyIndex = Next,
            CriticalSince = check.Status != CheckStatus.Critical ? null : before?.CriticalSince ?? Now,
        };
        _writes[Records.Check(check.Key)] = Records.Write(check);
        _writes[Records.Status(check.Key)] = Records.Write(new KeptStatus(check.Status, check.Output, check.CriticalSince));
        SetCheck(check);
    }

    public bool RemoveCheck(CheckKey key)
    {
        if (!_state.Owners.TryGetValue(key, out var owner))
            return false;
        var left = _state.Checks[owner].Remove(key.Id);
        _state = Stamp(_state with
        {
            Owners = _state.Owners.Remove(key), ChecksIndex = Next,
            Checks = left.IsEmpty ? _state.Checks.Remove(owner) : _state.Checks.SetItem(owner, left),
        });
        _writes[Records.Check(key)] = null;
        _writes[Records.Status(key)] = null;
        TouchOwner(owner);
        EndSessionsOf(key);
        return true;
    }

    /// <summary>A status is written down when it changes; a new output alone is only remembered, and wakes nobody.</summary>
    public void SetStatus(CheckKey key, CheckStatus status, string output)
    {
        if (_state.FindCheck(key) is not { } check || (check.Status == status && check.Output == output))
            return;
        if (check.Status == status)
        {
            _state = _state with { Checks = _state.Checks.SetItem(check.Owner, _state.Checks[check.Owner].SetItem(key.Id, check with { Output = output })) };
            return;
        }

        var since = status == CheckStatus.Critical ? Now : (DateTimeOffset?)null;
        _writes[Records.Status(key)] = Records.Write(new KeptStatus(status, output, since));
        SetCheck(check with { Status = status, Output = output, CriticalSince = since, ModifyIndex = Next });
        if (status == CheckStatus.Critical)
            EndSessionsOf(key);
    }

    public void PutValue(KeyValue value)
    {
        var old = _state.Values.GetValueOrDefault(value.Key);
        value = value with { CreateIndex = old?.CreateIndex ?? Next, ModifyIndex = Next };
        _writes[Records.Value(value.Key)] = Records.Write(value);
        SetValue(value);
    }

    public bool RemoveValue(string key)
    {
        if (!_state.Values.ContainsKey(key))
            return false;
        _state = Stamp(_state with { Values = _state.Values.Remove(key), Keys = _state.Keys.Remove(key), ValuesIndex = Next, DeletedIndex = Next });
        _writes[Records.Value(key)] = null;
        TouchValue(key);
        return true;
    }

    public void PutSession(Session session)
    {
        session = session with { CreateIndex = Next, ModifyIndex = Next };
        _writes[Records.Session(session.Id)] = Records.Write(session);
        Restore(session);
        _state = Stamp(_state with { SessionsIndex = Next });
        _topics.Add(Topics.Sessions);
    }

    /// <summary>The session is gone, and so are its locks; nobody takes them before its delay is over.</summary>
    public bool RemoveSession(string id)
    {
        if (!_state.Sessions.TryGetValue(id, out var session))
            return false;
        foreach (var value in _state.Values.Values.Where(value => value.Session == id).ToList())
        {
            if (session.DeletesKeys)
                RemoveValue(value.Key);
            else
                PutValue(value with { Session = null });
            if (session.LockDelay > TimeSpan.Zero)
                _state = _state with { LockDelays = _state.LockDelays.SetItem(value.Key, Now + session.LockDelay) };
        }

        _state = Stamp(_state with { Sessions = _state.Sessions.Remove(id), SessionsIndex = Next });
        _writes[Records.Session(id)] = null;
        _topics.Add(Topics.Sessions);
        return true;
    }

    /// <summary>What another source says of a name; null: nothing any more.</summary>
    public void Project(NameSource source, string name, Projection? projection)
    {
        var group = _state.Names.GetValueOrDefault(name) ?? new NameGroup(name);
        Put(source switch
        {
            NameSource.Kubernetes => group with { Kubernetes = projection },
            NameSource.File => group with { File = projection },
            _ => group with { Dns = projection },
        });
        TouchName(name);
    }

    internal void Restore(NodeRecord node) => Quietly(() => SetNode(node));

    internal void Restore(Instance instance) => Quietly(() => SetInstance(instance));

    internal void Restore(Check check) => Quietly(() => SetCheck(check with { ModifyIndex = Next }));

    internal void Restore(KeyValue value) => Quietly(() => SetValue(value));

    internal void Restore(Session session) => _state = _state with { Sessions = _state.Sessions.SetItem(session.Id, session) };

    private void Quietly(Action change)
    {
        _restoring = true;
        change();
        _restoring = false;
    }

    private void SetNode(NodeRecord node)
    {
        _state = Stamp(_state with { Nodes = _state.Nodes.SetItem(node.Name, node), NodesIndex = Next });
        _topics.Add(Topics.Nodes);
    }

    private void SetInstance(Instance instance)
    {
        _state = Stamp(_state with { Instances = _state.Instances.SetItem(instance.Key, instance) });
        var group = _state.Names.GetValueOrDefault(instance.Name) ?? new NameGroup(instance.Name);
        Put(group with { Registered = group.Registered.Add(instance.Key) });
        TouchName(instance.Name);
    }

    private void LeaveName(Instance instance)
    {
        if (_state.Names.TryGetValue(instance.Name, out var group))
            Put(group with { Registered = group.Registered.Remove(instance.Key) });
        TouchName(instance.Name);
    }

    private void SetCheck(Check check)
    {
        var some = _state.Checks.GetValueOrDefault(check.Owner) ?? ImmutableSortedDictionary.Create<string, Check>(StringComparer.Ordinal);
        _state = Stamp(_state with
        {
            Checks = _state.Checks.SetItem(check.Owner, some.SetItem(check.Id, check)), Owners = _state.Owners.SetItem(check.Key, check.Owner), ChecksIndex = Next,
        });
        TouchOwner(check.Owner);
    }

    private void SetValue(KeyValue value)
    {
        _state = Stamp(_state with { Values = _state.Values.SetItem(value.Key, value), Keys = _state.Keys.Add(value.Key), ValuesIndex = Next });
        TouchValue(value.Key);
    }

    private void Put(NameGroup group)
    {
        _state = group.IsEmpty
            ? _state with { Names = _state.Names.Remove(group.Name), ExtinctIndex = Next }
            : _state with { Names = _state.Names.SetItem(group.Name, group with { Index = Next }) };
        _state = Stamp(_state with { NamesIndex = Next });
        _topics.Add(Topics.Names);
    }

    // Checks of a node are checks of all that is on it.
    private void TouchOwner(InstanceKey owner)
    {
        _topics.Add(Topics.Checks);
        if (owner.Id.Length > 0)
        {
            if (_state.Instances.TryGetValue(owner, out var instance))
                TouchName(instance.Name);
            return;
        }

        if (_restoring)
            return;
        foreach (var key in InstancesOf(owner.Node))
            TouchName(_state.Instances[key].Name);
    }

    private void TouchName(string name)
    {
        if (_state.Names.TryGetValue(name, out var group) && group.Index != Next)
            _state = Stamp(_state with { Names = _state.Names.SetItem(name, group with { Index = Next }) });
        _topics.Add(Topics.Name(name));
        _topics.Add(Topics.Checks);
        _state = _state with { ChecksIndex = Next };
        _names.Add(name);
    }

    private void TouchValue(string key)
    {
        _topics.Add(Topics.Values);
        _topics.Add(Topics.Value(key));
    }

    private void EndSessionsOf(CheckKey key)
    {
        foreach (var session in _state.Sessions.Values.Where(session => session.Node == key.Node && session.Checks.Contains(key.Id)).ToList())
            RemoveSession(session.Id);
    }

    private List<InstanceKey> InstancesOf(string node) => [.. _state.Instances.Keys.Where(key => key.Node == node)];

    private RegistryState Stamp(RegistryState state) => state.Index == Next ? state : state with { Index = Next };
}
