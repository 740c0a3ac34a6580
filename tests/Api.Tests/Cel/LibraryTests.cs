namespace Weft.Api.Tests.Cel;

/// <summary>The functions: each line holds, and the failures say why.</summary>
public sealed class LibraryTests
{
    [Theory]
    [InlineData("int('-5') == -5 && int(3.9) == 3 && int(-3.9) == -3 && int(7u) == 7 && int(timestamp('1970-01-01T00:01:00Z')) == 60")]
    [InlineData("uint('5') == 5u && uint(3) == 3u && double('1.5') == 1.5 && double(3) == 3.0")]
    [InlineData("string(1) == '1' && string(1.0) == '1' && string(1.5) == '1.5' && string(true) == 'true' && string(b'abc') == 'abc' && string(5u) == '5'")]
    [InlineData("bool('true') && !bool('0') && bytes('é') == b'\\xc3\\xa9'")]
    [InlineData("string(duration('90s')) == '90s' && string(timestamp('2024-01-01T01:00:00+01:00')) == '2024-01-01T00:00:00Z'")]
    public void Conversions(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("size('héllo😀') == 6 && 'abc'.size() == 3")]
    [InlineData("'hello'.contains('ell') && 'hello'.startsWith('he') && 'hello'.endsWith('lo')")]
    [InlineData("'a😀b'.charAt(1) == '😀' && 'ab'.charAt(2) == ''")]
    [InlineData("'a😀b😀'.indexOf('😀') == 1 && 'a😀b😀'.indexOf('😀', 2) == 3 && 'abc'.indexOf('x') == -1 && 'abc'.indexOf('') == 0")]
    [InlineData("'abab'.lastIndexOf('ab') == 2 && 'abab'.lastIndexOf('ab', 1) == 0 && 'a'.lastIndexOf('x') == -1")]
    [InlineData("'TacoCÆt'.lowerAscii() == 'tacocÆt' && 'tacé'.upperAscii() == 'TACé'")]
    [InlineData("'hello hello'.replace('he', 'we') == 'wello wello' && 'hello hello'.replace('he', 'we', 1) == 'wello hello' && 'ab'.replace('', '_') == '_a_b_' && 'ab'.replace('b', 'c', 0) == 'ab'")]
    [InlineData("'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'a,b'.split(',', 0) == [] && 'ab'.split('') == ['a', 'b'] && 'abc'.split('', 2) == ['a', 'bc']")]
    [InlineData("'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco' && 'a😀b'.substring(1, 2) == '😀' && 'ab'.substring(2) == ''")]
    [InlineData("'  a\\t\\n'.trim() == 'a' && 'a😀'.reverse() == '😀a' && strings.quote('a\"\\n') == '\"a\\\\\"\\\\n\"'")]
    [InlineData("['a', 'b'].join() == 'ab' && ['a', 'b'].join('-') == 'a-b' && [].join('-') == ''")]
    [InlineData("'abc123'.matches('[a-z]+[0-9]+') && matches('abc', '^a') && !'abc'.matches('^b$')")]
    [InlineData("'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == '' && '1 2 3'.findAll('[0-9]') == ['1', '2', '3'] && '1 2 3'.findAll('[0-9]', 2) == ['1', '2'] && 'a'.findAll('b') == []")]
    public void Texts(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("'%s is %d'.format(['a', 3]) == 'a is 3' && '100%%'.format([]) == '100%'")]
    [InlineData("'%.2f %f'.format([1.005, 2]) == '1.00 2.000000' || '%.2f'.format([1.005]) == '1.01'")]
    [InlineData("'%e'.format([1234.5]) == '1.234500e+03' && '%.1e'.format([0.05]) == '5.0e-02'")]
    [InlineData("'%b %b %o %x %X'.format([5, true, 8, 255, 255]) == '101 1 10 ff FF' && '%x'.format(['hi']) == '6869' && '%x'.format([-255]) == '-ff'")]
    [InlineData("'%s %s %s'.format([[1, 'a'], {'b': 1, 'a': null}, duration('90s')]) == '[1, a] {a: null, b: 1} 90s'")]
    public void Formatting(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("[1, 2, 2].isSorted() && !['b', 'a'].isSorted() && [].isSorted()")]
    [InlineData("[1, 2].sum() == 3 && [1.5, 2.5].sum() == 4.0 && [duration('1s'), duration('1m')].sum() == duration('61s') && self.list.sum() == 6")]
    [InlineData("[3, 1, 2].min() == 1 && [3, 1].max() == 3 && ['b', 'a'].min() == 'a' && self.list.max() == 3")]
    [InlineData("[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1")]
    [InlineData("sets.contains([1, 2, 3], [2]) && !sets.contains([1], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1, 2], [2, 3])")]
    public void Lists(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("timestamp('2024-05-06T07:08:09Z').getFullYear() == 2024 && self.when.getMonth() == 4 && self.when.getDate() == 6 && self.when.getDayOfMonth() == 5")]
    [InlineData("self.when.getDayOfWeek() == 1 && self.when.getDayOfYear() == 126 && self.when.getHours() == 7 && self.when.getMinutes() == 8 && self.when.getSeconds() == 9")]
    [InlineData("self.when.getHours('+02:00') == 9 && self.when.getHours('-07:30') == 23 && self.when.getHours('UTC') == 7")]
    [InlineData("self.when.getHours('Europe/Berlin') == 9 && self.when.getHours('Etc/GMT+1') == 6 && self.when.getHours('America/Argentina/Buenos_Aires') == 4")]
    [InlineData("duration('1h1m1s').getHours() == 1 && duration('90m').getMinutes() == 90 && duration('1.5s').getMilliseconds() == 1500 && duration('-1m').getSeconds() == -60")]
    [InlineData("self.when + duration('1h') > self.when && self.when - self.when == duration('0') && self.when - duration('1h') < self.when && duration('1m') + duration('1s') == duration('61s')")]
    [InlineData("timestamp('2024-01-01T00:00:00Z') == timestamp('2024-01-01T02:00:00+02:00')")]
    public void Times(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("url('https://user@example.com:8080/a%20b?x=1&x=2&y=').getScheme() == 'https' && url('https://example.com:8080/a%20b').getEscapedPath() == '/a%20b'")]
    [InlineData("url('https://example.com:80/').getHost() == 'example.com:80' && url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getPort() == '80' && url('/path').getHost() == ''")]
    [InlineData("url('https://e.com/?x=1&x=2&y=z').getQuery() == {'x': ['1', '2'], 'y': ['z']}")]
    [InlineData("isURL('https://a.b') && isURL('/x') && !isURL('a b') && !isURL('x') && !isURL('')")]
    [InlineData("ip('10.0.0.1').family() == 4 && ip('::1').family() == 6 && isIP('1.2.3.4') && !isIP('1.2.3') && !isIP('01.2.3.4') && !isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0')")]
    [InlineData("ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('224.0.0.1').isLinkLocalMulticast() && ip('169.254.1.1').isLinkLocalUnicast() && ip('8.8.8.8').isGlobalUnicast() && !ip('224.1.1.1').isGlobalUnicast()")]
    [InlineData("ip.isCanonical('::1') && !ip.isCanonical('0:0::1') && string(ip('::1')) == '::1' && ip('::1') == ip('0::1')")]
    [InlineData("cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1')) && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))")]
    [InlineData("cidr('10.1.2.3/16').masked() == cidr('10.1.0.0/16') && cidr('10.1.2.3/16').prefixLength() == 16 && cidr('10.1.2.3/16').ip() == ip('10.1.2.3') && isCIDR('::/0') && !isCIDR('1.2.3.4') && !isCIDR('1.2.3.4/33')")]
    public void Networks(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').isLessThan(quantity('1')) && quantity('1') == quantity('1000m') && quantity('1k').compareTo(quantity('1000')) == 0")]
    [InlineData("quantity('50k').add('1' == '1' ? 20 : 0) == quantity('50020') && quantity('50k').sub(quantity('20k')) == quantity('30k') && quantity('2k').asInteger() == 2000 && quantity('500m').asApproximateFloat() == 0.5")]
    [InlineData("isQuantity('1.3Gi') && !isQuantity('1GiB') && quantity('-1').sign() == -1 && quantity('2').isInteger() && !quantity('200m').isInteger()")]
    [InlineData("!format.dns1123Label().validate('abc-1').hasValue() && format.dns1123Label().validate('Abc').hasValue() && !format.dns1123Subdomain().validate('a.b').hasValue()")]
    [InlineData("!format.named('uuid').value().validate('6ba7b810-9dad-11d1-80b4-00c04fd430c8').hasValue() && !format.named('none').hasValue() && !format.qualifiedName().validate('a.b/c_d').hasValue() && format.labelValue().validate('-a').hasValue()")]
    [InlineData("!format.dns1123LabelPrefix().validate('abc-').hasValue() && format.date().validate('2024-13-01').hasValue() && !format.datetime().validate('2024-01-01T00:00:00Z').hasValue()")]
    public void Quantities_and_named_formats(string expression) => CelTest.Holds(expression);

    [Theory]
    [InlineData("'abc'.substring(4) == ''", "index out of range: 4")]
    [InlineData("'abc'.substring(2, 1) == ''", "invalid substring range. start: 2, end: 1")]
    [InlineData("'abc'.charAt(4) == ''", "index out of range: 4")]
    [InlineData("'abc'.matches('[' + 'a') == true", "invalid regular expression: [a")]
    [InlineData("[].min() == 1", "min called on empty list")]
    [InlineData("timestamp('yesterday') == self.when", "type conversion error from 'yesterday' to timestamp")]
    [InlineData("duration('1 hour') == self.span", "type conversion error from '1 hour' to duration")]
    [InlineData("self.when.getHours('Moon/Base') == 1", "unknown time zone Moon/Base")]
    [InlineData("self.when.getHours('../../../dev/zero') == 1", "unknown time zone ../../../dev/zero")]
    [InlineData("self.when.getHours('../zoneinfo/Europe/Berlin') == 1", "unknown time zone ../zoneinfo/Europe/Berlin")]
    [InlineData("self.when.getHours('Europe//Berlin') == 1", "unknown time zone Europe//Berlin")]
    [InlineData("self.when.getHours('/etc/localtime') == 1", "unknown time zone /etc/localtime")]
    [InlineData("self.when.getHours('zone1970.tab') == 1", "unknown time zone zone1970.tab")]
    [InlineData("self.when.getHours('+-02:00') == 1", "unknown time zone +-02:00")]
    [InlineData("timestamp('0001-01-01T00:00:00Z').getHours('-01:00') == 1", "timestamp overflow")]
    [InlineData("timestamp('9999-12-31T23:59:59Z').getHours('+01:00') == 1", "timestamp overflow")]
    [InlineData("-(duration('-922337203685.4775807s') - duration('100ns')) == self.span", "duration overflow")]
    [InlineData("quantity('9223372036854775807').add(1).asInteger() == 1", "cannot convert value to integer")]
    [InlineData("ip('x') == ip('::1')", "IP Address 'x' parse error during conversion from string")]
    [InlineData("cidr('x') == cidr('::/0')", "CIDR 'x' parse error during conversion from string")]
    [InlineData("quantity('x').isInteger()", "quantities must be a number with an optional suffix, not 'x'")]
    [InlineData("quantity('1500m').asInteger() == 1", "cannot convert value to integer")]
    [InlineData("'%d'.format(['a']) == ''", "could not parse formatting clause: verb 'd' does not fit its argument")]
    [InlineData("'%s %s'.format(['a']) == ''", "index 1 out of range")]
    public void Failures_say_why(string expression, string message) => Assert.Equal(message, CelTest.Run(expression).Error);
}
