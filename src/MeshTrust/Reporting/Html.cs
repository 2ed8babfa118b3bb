using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace MeshTrust.Reporting;

/// <summary>
/// Markup as an interpolated string, for example <c>Html cell = $"&lt;td&gt;{name}&lt;/td&gt;"</c>. The literal parts are markup. Every
/// text that is put in becomes one encoded line, so that nothing from a cluster can be markup or change the direction of the text.
/// </summary>
/// <remarks>A class: sequences of a struct would need code of their own, which the runtime compiles at every start.</remarks>
[InterpolatedStringHandler]
internal sealed class Html(int literalLength, int formattedCount)
{
    public static readonly Html None = new(0, 0);
    private readonly StringBuilder _text = new(literalLength + (16 * formattedCount));

    /// <summary>Markup of this program, for instance its style sheet.</summary>
    public static Html Raw(string markup)
    {
        var html = new Html(markup.Length, 0);
        html.AppendLiteral(markup);
        return html;
    }

    public void AppendLiteral(string markup) => _text.Append(markup);

    public void AppendFormatted(string? text) => _text.Append(WebUtility.HtmlEncode(IO.Text.OneLine(text)));

    public void AppendFormatted(int number) => _text.Append(number);

    /// <summary>A coordinate or a share: two decimals are enough.</summary>
    public void AppendFormatted(double number) => _text.Append(number.ToString("0.##", CultureInfo.InvariantCulture));

    public void AppendFormatted(Html part) => _text.Append(part._text);

    public void AppendFormatted(IEnumerable<Html> parts)
    {
        foreach (var part in parts) _text.Append(part._text);
    }

    public override string ToString() => _text.ToString();
}
