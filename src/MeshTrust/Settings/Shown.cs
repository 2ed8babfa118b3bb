using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>The names of <see cref="Text"/> that this folder still uses.</summary>
internal static class Shown
{
    public static string Quote(string text) => Text.Quote(text);

    public static string Plain(string text) => Text.Sanitize(text);

    public static string Plain(string text, int longest) => Text.Sanitize(text, longest);
}
