using System.Text;
using Cake.Core.IO;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>One argument that the program sees as it is, whatever is in it: written by the rules by which .NET takes a command line apart on every system.</summary>
internal sealed class ExactArgument(string text) : IProcessArgument
{
    public string Render()
    {
        if (text.Length > 0 && !text.Any(c => char.IsWhiteSpace(c) || c == '"')) return text;
        var quoted = new StringBuilder("\"");
        var backslashes = 0;
        foreach (var c in text)
        {
            // Backslashes count as such but before a quotation mark: there each pair of them is one.
            if (c == '"') quoted.Append('\\', backslashes + 1);
            quoted.Append(c);
            backslashes = c == '\\' ? backslashes + 1 : 0;
        }

        return quoted.Append('\\', backslashes).Append('"').ToString();
    }

    public string RenderSafe() => Render();
}
