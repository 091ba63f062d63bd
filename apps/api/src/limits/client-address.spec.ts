import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientOf, isIpRange, isWithin } from './client-address.js';

describe('a client', () => {
  it('is an IPv4 address, however it is written', () => {
    assert.deepEqual(['203.0.113.9', '::ffff:203.0.113.9', '::FFFF:203.0.113.9'].map(clientOf), Array(3).fill('203.0.113.9'));
  });

  it('is the first half of an IPv6 address', () => {
    assert.deepEqual(
      ['2001:db8:0:1::1', '2001:DB8::1:a:b:c:d', '2001:0db8:0000:0001:ffff:ffff:ffff:ffff', '::1', 'fe80::1%eth0'].map(clientOf),
      ['2001:db8:0:1::/64', '2001:db8:0:1::/64', '2001:db8:0:1::/64', '0:0:0:0::/64', 'fe80:0:0:0::/64'],
    );
  });
});

describe('a range of addresses', () => {
  it('is an address or a CIDR block', () => {
    for (const range of ['203.0.113.9', '203.0.113.0/24', '0.0.0.0/0', '2001:db8::/32', '::1', '::/128'])
      assert.ok(isIpRange(range), range);
    for (const text of ['', '203.0.113', '203.0.113.0/33', '203.0.113.0/', '203.0.113.0/24/8', '::/129', 'shop.example', '203.0.113.0/-1'])
      assert.ok(!isIpRange(text), text);
  });

  it('holds the addresses within it, in both versions', () => {
    const ranges = ['203.0.113.0/24', '198.51.100.7', '2001:db8::/32'];
    for (const ip of ['203.0.113.255', '::ffff:203.0.113.1', '198.51.100.7', '2001:db8:ffff::1']) assert.ok(isWithin(ip, ranges), ip);
    for (const ip of ['203.0.114.0', '198.51.100.8', '2001:db9::1', '::1']) assert.ok(!isWithin(ip, ranges), ip);
  });
});
