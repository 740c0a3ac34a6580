using System.Text;

namespace Weft.Api.Trees;

/// <summary>Where a walk stands. One mutable stack for the whole walk, so that a step costs nothing until a message needs the text.</summary>
public sealed class FieldPath
{
    private readonly List<(string? Name, int Index, bool Key)> _steps = [];

    public int Depth => _steps.Count;

    public void Push(string name) => _steps.Add((name, 0, false));

    public void Push(int index) => _steps.Add((null, index, false));

    /// <summary>A key of a free map: `metadata.labels[app]`.</summary>
    public void PushKey(string key) => _steps.Add((key, 0, true));

    public void Pop() => _steps.RemoveAt(_steps.Count - 1);

    /// <summary>The path of a member of the current place.</summary>
    public string Child(string name)
    {
        Push(name);
        var text = ToString();
        Pop();
        return text;
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (name, index, key) in _steps)
        {
            if (name is null)
                text.Append('[').Append(index).Append(']');
            else if (key)
                text.Append('[').Append(name).Append(']');
            else
                (text.Length == 0 ? text : text.Append('.')).Append(name);
        }
        return text.ToString();
    }
}
