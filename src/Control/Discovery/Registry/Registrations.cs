using Weft.Control.Discovery.Model;

namespace Weft.Control.Discovery.Registry;

/// <summary>Registering again what is there already changes nothing: clients do it every few seconds, and it must cost neither a write nor the status.</summary>
internal static class Registrations
{
    /// <exception cref="RegistryException">There are too many.</exception>
    public static void Put(RegistryDraft draft, Instance instance, RegistryOptions options)
    {
        var old = draft.State.Instances.GetValueOrDefault(instance.Key);
        if (old is null && draft.State.Instances.Count >= options.MaxInstances)
            throw new RegistryException(429, $"the registry holds {options.MaxInstances} instances, which is its limit");
        if (old is null || !Same(old, instance))
            draft.PutInstance(instance);
    }

    /// <param name="keepsStatus">The status of before stays: the caller says nothing of it.</param>
    public static void Put(RegistryDraft draft, Check check, bool keepsStatus)
    {
        if (draft.State.FindCheck(check.Key) is not { } old || old.Owner != check.Owner)
        {
            draft.PutCheck(check);
            return;
        }

        // The same object of before: by it the loop knows that its work goes on.
        var next = check with { Definition = Same(old.Definition, check.Definition) ? old.Definition : check.Definition };
        if (keepsStatus)
            next = next with { Status = old.Status, Output = old.Output };
        var isSame = ReferenceEquals(next.Definition, old.Definition) && next.Name == old.Name && next.Notes == old.Notes && next.Status == old.Status && (keepsStatus || next.Output == old.Output || next.Definition is not null);
        if (!isSame)
            draft.PutCheck(next);
    }

    public static void Put(RegistryDraft draft, NodeRecord node)
    {
        var old = draft.State.Nodes.GetValueOrDefault(node.Name);
        if (old is null || !Records.Write(node with { CreateIndex = 0, ModifyIndex = 0 }).AsSpan().SequenceEqual(Records.Write(old with { CreateIndex = 0, ModifyIndex = 0 })))
            draft.PutNode(node);
    }

    private static bool Same(Instance old, Instance other) =>
        Records.Write(old with { CreateIndex = 0, ModifyIndex = 0, Since = default }).AsSpan().SequenceEqual(Records.Write(other with { CreateIndex = 0, ModifyIndex = 0, Since = default }));

    private static bool Same(CheckDefinition? old, CheckDefinition? other) => (old is null && other is null)
        || (old is not null && other is not null && Records.Write(new Check { Definition = old }).AsSpan().SequenceEqual(Records.Write(new Check { Definition = other })));
}
