using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace MeshTrust.Reporting;

/// <summary>
/// Markup as an interpolated string, for example <c>Html cell = $"&lt;td&gt;{name}&lt;/td&gt;"</c>. The literal parts are markup. Every text
/// that is put in becomes one encoded line, so that nothing from a cluster can be markup or change the direction of the text.
/// </summary>
[InterpolatedStringHandler]
internal readonly struct Html
{
    private readonly StringBuilder? _text;

    public Html(int literalLength, int formattedCount) => _text = new StringBuilder(literalLength + (16 * formattedCount));

    private Html(string markup) => _text = new StringBuilder(markup);

    public bool IsEmpty => _text is null or { Length: 0 };

    /// <summary>Markup of this program, for instance its style sheet.</summary>
    public static Html Raw(string markup) => new(markup);

    public void AppendLiteral(string markup) => _text!.Append(markup);

    public void AppendFormatted(string? text) => _text!.Append(WebUtility.HtmlEncode(IO.Text.OneLine(text)));

    public void AppendFormatted(int number) => _text!.Append(CultureInfo.InvariantCulture, $"{number}");

    /// <summary>A coordinate or a share: two decimals are enough.</summary>
    public void AppendFormatted(double number) => _text!.Append(number.ToString("0.##", CultureInfo.InvariantCulture));

    public void AppendFormatted(Html part) => _text!.Append(part._text);

    public void AppendFormatted(IEnumerable<Html> parts)
    {
        foreach (var part in parts) _text!.Append(part._text);
    }

    public override string ToString() => _text?.ToString() ?? "";
}
